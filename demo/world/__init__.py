"""A generated world: organizations with units, people and plans, for tests and for measuring. Nothing in it is real."""

from demo.world.generate import WorldExistsError, generate_world
from demo.world.options import WorldOptions

__all__ = ["WorldExistsError", "WorldOptions", "generate_world"]
