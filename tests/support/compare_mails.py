"""Whether mails say the same after a conversion as before, as Python's email package reads them: N.before and N.after
in a directory. Their parts have the same types, and the same bytes once decoded; fields of their headers, unfolded, are the
same but for the encoding. Prints what differs; 0: nothing. With "7bit" all bytes behind must be ASCII."""
import email
import pathlib
import sys

directory, seven_bit = pathlib.Path(sys.argv[1]), sys.argv[2] == "7bit"
CHANGES = {"content-transfer-encoding", "mime-version", "content-type"}


def unfolded(value):
    return str(value).replace("\r\n", "").replace("\n", "").strip()


def told(message):
    parts = []
    for part in message.walk():
        fields = [(name.lower(), unfolded(value)) for name, value in part.items() if name.lower() not in CHANGES]
        body = None if part.is_multipart() else part.get_payload(decode=True)
        boundary = part.get_boundary()
        parts.append((part.get_content_type(), boundary, fields, body))
    return parts


wrong = seen = 0
for before in sorted(directory.glob("*.before")):
    after = before.with_suffix(".after").read_bytes()
    seen += 1
    first, second = told(email.message_from_bytes(before.read_bytes())), told(email.message_from_bytes(after))
    if max(map(len, after.split(b"\r\n"))) > 998:
        wrong += 1
        print(before.name, "has a long line")
    if seven_bit and any(byte > 127 for byte in after):
        wrong += 1
        print(before.name, "has 8-bit bytes")
    if len(first) != len(second):
        wrong += 1
        print(before.name, "has", len(first), "parts and then", len(second))
        continue
    for number, (one, other) in enumerate(zip(first, second)):
        if one != other:
            wrong += 1
            print(before.name, "part", number, ascii(one)[:300], "became", ascii(other)[:300])
            break
print(seen, "mails were compared")
sys.exit(1 if wrong or not seen else 0)
