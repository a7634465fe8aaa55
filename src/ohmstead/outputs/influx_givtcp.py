"""The names GivTCP writes: the serial number as measurement, one tag, everything in lower case.

The fields are the keys of its ``Power.Power``, ``Power.Flows``, ``Energy.Today`` and
``Energy.Total``. Its signs differ from ours: its grid power counts up when exporting.
"""

from ohmstead.outputs.givtcp_energies import energy_tree, power_tree
from ohmstead.outputs.givtcp_tree import serial_of
from ohmstead.outputs.givtcp_values import leaves
from ohmstead.outputs.influx_naming import News
from ohmstead.outputs.line_protocol import FieldValue, Line

__all__ = ["givtcp_lines"]


def givtcp_lines(news: News) -> list[Line]:
    """Return one line for each inverter that has said something new."""
    lines, snapshot = [], news.snapshot
    for device, reading in news.fresh:
        now = reading.at.astimezone(snapshot.timezone)
        tree = power_tree(reading, now, snapshot.load_w) | energy_tree(reading)
        fields: dict[str, FieldValue] = {
            path.rpartition("/")[2].lower(): value if isinstance(value, str) else float(value)
            for path, value in leaves(tree)
        }
        lines.append(
            Line(
                measurement=serial_of(reading) or device.name,
                tags={"tagKey": "GivReal"},
                fields=fields,
                at=reading.at,
            )
        )
    return lines
