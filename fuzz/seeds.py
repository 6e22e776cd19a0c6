"""Writes the fuzzers' first inputs: the files of ../crates/puad-data/tests/fixtures/datasets, and small ones by hand."""

import pathlib
import struct

HERE = pathlib.Path(__file__).parent
FIXTURES = HERE.parent / "crates" / "puad-data" / "tests" / "fixtures" / "datasets"


def seed(target, name, data):
    path = HERE / "corpus" / target
    path.mkdir(parents=True, exist_ok=True)
    (path / name).write_bytes(data)


for path in FIXTURES.glob("*.np?"):
    seed(path.suffix[1:], path.name, path.read_bytes())
for path in FIXTURES.glob("*.mat"):
    seed("mat", path.name, path.read_bytes())
for path in FIXTURES.glob("*.parquet"):
    seed("parquet", path.name, path.read_bytes())
for path in FIXTURES.glob("folder/*/*"):
    # Shape and scaling come from the first byte: RGB of 8 x 8 as it is, and grey scaled to 5 x 5.
    for choice in [b"\x00", b"\x03"]:
        seed("image", f"{path.name}-{choice.hex()}", choice + path.read_bytes())

labels = bytes([0, 0, 8, 1, 0, 0, 0, 2, 9, 0])
images = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3]) + bytes(range(12))
seed("idx", "two", struct.pack("<H", len(labels)) + labels + images)
seed("cifar", "ten", bytes([7]) + bytes(3072))
seed("cifar", "hundred", bytes([19, 99]) + bytes(3072))
seed("csv", "header", b"\x00a,b,y\n1,-2.5,0\n3e1,\"4\",255\n")
seed("csv", "tabs", b"\x171\ta\t2\n3\tb\t4\n")
