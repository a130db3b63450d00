"""Names and signatures that other programs expect to find, thin over the App: a face, like the command line."""
