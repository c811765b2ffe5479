"""What a picture shows, told from its grey values alone: view, quarter turn, side of the front."""
