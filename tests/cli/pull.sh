# What the hub does not give. (Downloads themselves are tested against a server on loopback in tests/web.)
export HF_ENDPOINT=http://127.0.0.1:9
bert pull no/thing
ls
bert pull ../thing
bert pull no/thing -o ''
