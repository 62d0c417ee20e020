"""What goes wrong between the replay and those who use it; importing this loads no Reverb."""


class ReplayTimeout(Exception):
    """No item came in time; the message says from where, and why as far as it is known."""


class ItemsLost(ReplayTimeout):
    """There is none, and some that the table has given never came: nobody need wait for them."""
