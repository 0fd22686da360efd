"""Whether mails say what the JSON they were composed from says, as Python's email package reads them: N.json and N.eml in a
directory. Prints what differs; 0: nothing."""
import base64
import email
import email.policy
import json
import pathlib
import re
import sys
from email.header import decode_header, make_header
from email.utils import getaddresses


def one_line(value):
    return re.sub(r"\r?\n", "", value)


def words(value):
    return str(make_header(decode_header(one_line(value)))) if value is not None else None


def people(value):
    return [(words(name) if name else "", address) for name, address in getaddresses([one_line(value or "")])]


def wanted_people(document, key):
    found = document.get(key, [])
    return [(one.get("name", ""), one["address"]) for one in (found if isinstance(found, list) else [found])]


def lines(text):
    return re.sub(r"\r\n|\r|\n", "\r\n", text)


def shape(part):
    return [part.get_content_type(), [shape(inner) for inner in part.get_payload()]] if part.is_multipart() \
        else part.get_content_type()


def wanted_shape(document):
    enclosures = document.get("attachments", [])
    body = None
    if "html" in document:
        body = "text/html"
        shown = [one["content_type"].split(";")[0] for one in enclosures if one.get("inline")]
        if shown:
            body = ["multipart/related", [body] + shown]
    if "text" in document or body is None:
        body = ["multipart/alternative", ["text/plain", body]] if body else "text/plain"
    attached = [one["content_type"].split(";")[0] for one in enclosures if not one.get("inline")]
    return ["multipart/mixed", [body] + attached] if attached else body


def texts(mail, kind):
    found = [part for part in mail.walk() if part.get_content_type() == kind and part.get("Content-Disposition") is None]
    return found[0].get_payload(decode=True).decode("utf-8") if found else None


def old_name(part):
    value = part.get_param("name")
    return None if value is None else words(value)


def faults(document, raw):
    mail = email.message_from_bytes(raw)
    if any(byte > 126 for byte in raw):
        yield "not ASCII"
    for word in re.findall(rb"=\?utf-8\?B\?([^?]*)\?=", raw):
        if len(word) > 63 or base64.b64decode(word).decode("utf-8", "replace").encode() != base64.b64decode(word):
            yield f"an encoded word that is too long, or has less than whole characters: {word!a}"
    if max(map(len, raw.split(b"\r\n"))) > 998 or b"\n" in raw.replace(b"\r\n", b""):
        yield "line ends or long lines"
    for part in email.message_from_bytes(raw, policy=email.policy.default).walk():
        if part.defects:
            yield f"defects {part.defects}"
    for key, field in (("from", "From"), ("to", "To"), ("cc", "Cc"), ("reply_to", "Reply-To")):
        if people(mail[field]) != wanted_people(document, key):
            yield f"{field}: {people(mail[field])!a} instead of {wanted_people(document, key)!a}"
    if mail["Bcc"] is not None or any(one["address"].encode() in raw for one in document.get("bcc", [])):
        yield "bcc"
    if words(mail["Subject"]) != document.get("subject", ""):
        yield f"subject {words(mail['Subject'])!a} instead of {document.get('subject')!a}"
    for name, value in document.get("headers", {}).items():
        if words(mail[name]) != value:
            yield f"{name}: {words(mail[name])!a} instead of {value!a}"
    for key, field in (("in_reply_to", "In-Reply-To"), ("references", "References")):
        if one_line(mail.get(field, "")).split() != document.get(key, []):
            yield field
    if shape(mail) != wanted_shape(document):
        yield f"{shape(mail)} instead of {wanted_shape(document)}"
        return
    for key, kind in (("text", "text/plain"), ("html", "text/html")):
        wanted, found = document.get(key), texts(mail, kind)
        if wanted is None and (found or "").strip("\r\n") == "":
            continue
        # A mail that is one text ends its last line.
        if found != lines(wanted) and (mail.is_multipart() or found not in (lines(wanted), lines(wanted) + "\r\n")):
            yield f"{key}: {found!a} instead of {wanted!a}"
    parts = [part for part in mail.walk() if part.get("Content-Disposition") is not None]
    enclosures = document.get("attachments", [])
    enclosures = [one for one in enclosures if one.get("inline")] + [one for one in enclosures if not one.get("inline")]
    for part, one in zip(parts, enclosures):
        told = (part.get_filename(), part.get_payload(decode=True), part.get_content_disposition(), part["Content-ID"])
        wanted = (one["filename"], base64.b64decode(one["content"]), "inline" if one.get("inline") else "attachment",
                  f"<{one['content_id']}>" if "content_id" in one else None)
        if told != wanted:
            yield f"attachment {told!a} instead of {wanted!a}"
        if old_name(part) not in (None, one["filename"]) or (old_name(part) is None and len(one["filename"].encode()) < 300):
            yield f"name {old_name(part)!a} instead of {one['filename']!a}"


wrong = seen = 0
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
    seen += 1
    for fault in faults(json.loads(path.read_bytes()), path.with_suffix(".eml").read_bytes()):
        wrong += 1
        print(path.name, fault[:600])
print(seen, "letters were read")
sys.exit(1 if wrong or not seen else 0)
