"""Counts the different colours of a PNG as Chromium writes it (8 bits, RGB or RGBA, not interlaced): a page that is not blank has many.

usage: picture.py FILE"""
import struct
import sys
import zlib

data = open(sys.argv[1], "rb").read()
assert data[:8] == b"\x89PNG\r\n\x1a\n", "no PNG"
at, pixels = 8, b""
while at < len(data):
    size, kind = struct.unpack(">I4s", data[at : at + 8])
    if kind == b"IHDR":
        width, height, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", data[at + 8 : at + 8 + size])
    if kind == b"IDAT":
        pixels += data[at + 8 : at + 8 + size]
    at += 12 + size
assert bits == 8 and colour in (2, 6) and not interlaced, "another kind of PNG"
n = 3 if colour == 2 else 4
row = width * n
pixels = zlib.decompress(pixels)
colours, above = set(), bytearray(row)
for y in range(height):
    kind, line = pixels[y * (row + 1)], bytearray(pixels[y * (row + 1) + 1 : (y + 1) * (row + 1)])
    for x in range(row):
        left = line[x - n] if x >= n else 0
        up, corner = above[x], above[x - n] if x >= n else 0
        if kind == 1:
            line[x] = (line[x] + left) & 255
        elif kind == 2:
            line[x] = (line[x] + up) & 255
        elif kind == 3:
            line[x] = (line[x] + (left + up) // 2) & 255
        elif kind == 4:
            p = left + up - corner
            best = min((abs(p - left), 0, left), (abs(p - up), 1, up), (abs(p - corner), 2, corner))[2]
            line[x] = (line[x] + best) & 255
    colours.update(bytes(line[x : x + 3]) for x in range(0, row, n))
    above = line
print(len(colours))
