"""The bundled incident, as data; `recorder/` is how it was made, `bundled` unpacks it."""
