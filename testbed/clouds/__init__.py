"""Stand-ins for clouds on loopback, one package per cloud. `shared` contains the code that they share."""
