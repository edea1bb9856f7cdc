"""The settings: `opsmail.toml`, owned by IT."""
