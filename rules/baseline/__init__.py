"""What a network usually does: learned from traffic, kept in a file that people read, compared with new traffic."""
