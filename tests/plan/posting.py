"""A form with a file as a browser, or a hostile client, posts it."""


def multipart(data, name, content):
    """A form with one file whose name is sent as it is, as a hostile client would."""
    line = "a-line-between"
    parts = [
        f'--{line}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in data.items()
    ]
    head = f'--{line}\r\nContent-Disposition: form-data; name="files"; filename="'.encode()
    told = name.replace("\\", "\\\\").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    parts.append(head + told.encode() + b'"\r\nContent-Type: text/html\r\n\r\n' + content + b"\r\n")
    return b"".join(parts) + f"--{line}--\r\n".encode(), f"multipart/form-data; boundary={line}"
