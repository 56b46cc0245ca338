"""A bit that flips in a stored file, and what `convoke check` says of it."""

from support import cli


def check_after_a_flip(data, path):
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)
    done = cli.run("check", "--data", data, code=1)
    lines = [line for line in done.stdout.splitlines() if line.startswith("FAULT")]
    # Its hash, and what the Parquet reader says where the bit makes it break off.
    assert "has another content" in lines[0]
    assert all(str(path.relative_to(data)) in line and "backup" in line for line in lines)
