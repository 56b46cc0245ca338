"""pyarrow's own Flight server (Arrow C++): serves batches from memory, the ticket is a table's name.

Arguments: name=file for each table, an Arrow IPC stream. Prints the port and serves until its input ends.
"""

import sys
import threading

import pyarrow as pa
import pyarrow.flight as flight


class Server(flight.FlightServerBase):
    def __init__(self, tables):
        super().__init__("grpc://127.0.0.1:0")
        self.tables = tables

    def do_get(self, context, ticket):
        schema, batches = self.tables[ticket.ticket.decode()]
        return flight.GeneratorStream(schema, iter(batches))


def read(path):
    with pa.OSFile(path) as file, pa.ipc.open_stream(file) as stream:
        return stream.schema, list(stream)


def main():
    server = Server({name: read(path) for name, path in (argument.split("=", 1) for argument in sys.argv[1:])})
    threading.Thread(target=server.serve, daemon=True).start()
    print(server.port, flush=True)
    sys.stdin.read()
    server.shutdown()


main()
