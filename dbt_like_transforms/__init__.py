"""Models from vendor records to the estate: staging, resolution, marts; and the engine that builds them."""

from pathlib import Path

#: Folder of the project's models, for `engine.Project.load`.
MODELS_DIR = Path(__file__).parent / "models"
