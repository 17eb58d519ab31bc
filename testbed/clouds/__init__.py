"""Stand-ins for clouds on loopback, one package per cloud. `shared` has the code they share."""
