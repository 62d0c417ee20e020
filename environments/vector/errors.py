"""What goes wrong in one world of many."""


class WorldError(RuntimeError):
    """Something went wrong inside one world; `__cause__` is what. The others are not affected."""

    def __init__(self, world: int, error: BaseException):
        super().__init__(f"world {world}: {type(error).__name__}: {error}")
        self.world = world
