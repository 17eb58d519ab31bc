"""Cloud stand-ins on loopback, one package per cloud. `shared` contains the code they have in common."""
