"""One file per provider behind one small protocol. What a provider says is translated here, at the border."""
