"""What everything else rests on: errors, registry, random streams, atomic files, shared types."""
