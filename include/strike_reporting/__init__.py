"""National strike reporting: trusts' extracts to traceable, published figures of disruption."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__version__ = "0.1.0"


def read(action_id: str, table: str) -> pd.DataFrame:
    """A table of an action's current release as a pandas DataFrame.

    Whole numbers are `Int64`, so they stay whole where some are not known (`<NA>`, never zero).

    Args:
        action_id: such as `JD-2023-04-11`, or a release id such as `JD-2023-04-11.r1`.
        table: one of the published tables, such as `cancellations_daily`.

    Raises:
        NoRelease: nothing was released for the action.
        KeyError: there is no such table.
    """
    import pandas as pd
    import pyarrow as pa

    from strike_reporting.extracts.tables import TABLES
    from strike_reporting.publishing.releases import find, read_table
    from strike_reporting.storage import Store

    if table not in TABLES:
        raise KeyError(f"there is no table {table!r}; the tables are {', '.join(TABLES)}")
    store = Store()
    found = read_table(store, find(store, action_id), table)
    frame: pd.DataFrame = found.to_pandas(date_as_object=True, types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    return frame
