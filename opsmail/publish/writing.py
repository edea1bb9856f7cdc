"""Writing what a change of the store relies on, and making the change, also beside a collection.

What was found written may be of no use to anybody else, and be taken away before the change that needs it. The store
refuses the change then, and nothing but the sweep stands in its way: the content is written once more, the change is
made once more, exactly as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from opsmail.store.interface import Head, HeadMoved, Store

#: A collection takes away portion by portion, with pauses; so often one may come in between.
_TRIES = 20


def settle(store: Store, head: Head, blobs: Mapping[str, bytes], change: Callable[[Head], Head]) -> Head:
    """Write blobs, make a change that relies on them, and return the head after it.

    Args:
        store: where to.
        head: that the change was made from.
        blobs: by digest.
        change: takes the head to compare with; that is `head`, but for the sweeps meanwhile.

    Raises:
        HeadMoved: the environment has moved on, or a collection came in between every time.
    """
    for _ in range(_TRIES - 1):
        store.write_missing(blobs)
        try:
            return change(head)
        except HeadMoved as moved:
            if not moved.is_only_swept:
                raise
            head = moved.found
    store.write_missing(blobs)
    return change(head)
