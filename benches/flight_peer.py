"""pyarrow's own Flight server (Arrow C++): the ticket is a table's name.

Arguments: name=file for a table in memory, an Arrow IPC stream; name=folder:before:columns for one that is read from the
Parquet files of the months before that one, each time anew. Prints the port and serves until its input ends.
"""

import pathlib
import sys
import threading

import pyarrow as pa
import pyarrow.dataset as dataset
import pyarrow.flight as flight


class Server(flight.FlightServerBase):
    def __init__(self, tables):
        super().__init__("grpc://127.0.0.1:0")
        self.tables = tables

    def do_get(self, context, ticket):
        schema, batches = self.tables[ticket.ticket.decode()]()
        return flight.GeneratorStream(schema, batches)


def table(source):
    """A function that gives a schema and an iterator of batches."""
    if ":" in source:
        folder, before, columns = source.split(":")
        months = (month for month in pathlib.Path(folder).glob("month=*") if month.name < f"month={before}")
        files = sorted(str(file) for month in months for file in month.glob("*.parquet"))
        stored = dataset.dataset(files, format="parquet")
        schema = pa.schema([stored.schema.field(column) for column in columns.split(",")])
        return lambda: (schema, stored.to_batches(columns=schema.names))
    schema, batches = read(source)
    return lambda: (schema, iter(batches))


def read(path):
    with pa.OSFile(path) as file, pa.ipc.open_stream(file) as stream:
        return stream.schema, list(stream)


def main():
    server = Server({name: table(source) for name, source in (argument.split("=", 1) for argument in sys.argv[1:])})
    threading.Thread(target=server.serve, daemon=True).start()
    print(server.port, flush=True)
    sys.stdin.read()
    server.shutdown()


main()
