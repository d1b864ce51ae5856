"""What this room registers with the rooms below; imported once by `AppConfig.ready()`."""
