"""The JSON of the public API, shared by the server and its clients: shapes, and the way from the model and back."""
