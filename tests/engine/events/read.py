"""Reads an event log with independent readers: read.py FILE prints a list of [source, event ID, level, second, record number].

python-evtx reads .evtx files, libevt (pyevt) .evt files. The level is the number in the file.
"""

import calendar
import html
import json
import re
import sys
import time

SYSTEM = {
    "source": r'<Provider Name="([^"]*)"',
    "id": r"<EventID[^>]*>(\d+)<",
    "level": r"<Level>(\d+)<",
    "time": r'<TimeCreated SystemTime="([^"]*?)(?:\.\d+)?(?:\+00:00|Z)?"',
    "record": r"<EventRecordID>(\d+)<",
}


def evtx(path):
    from Evtx.Evtx import Evtx

    with Evtx(path) as log:
        for record in log.records():
            xml = record.xml()
            found = {name: re.search(form, xml).group(1) for name, form in SYSTEM.items()}
            second = calendar.timegm(time.strptime(found["time"].replace("T", " "), "%Y-%m-%d %H:%M:%S"))
            yield [html.unescape(found["source"]), int(found["id"]), int(found["level"]), second, int(found["record"])]


def evt(path):
    import pyevt

    log = pyevt.file()
    log.open(path)
    for record in log.records:
        second = calendar.timegm(record.get_creation_time().timetuple())
        identifier = record.event_identifier & 0xFFFF
        yield [record.source_name, identifier, record.event_type, second, record.identifier]


with open(sys.argv[1], "rb") as file:
    read = evtx if file.read(8) == b"ElfFile\0" else evt
json.dump(list(read(sys.argv[1])), sys.stdout)
