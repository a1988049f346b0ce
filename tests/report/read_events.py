"""Reads a folder of event files with TensorBoard's own loader and prints what it finds: TAG STEP VALUE, and texts.

usage: read_events.py FOLDER"""
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "tensors": 0})
events.Reload()
tags = events.Tags()
for tag in sorted(tags["scalars"]):
    for event in events.Scalars(tag):
        print(tag, event.step, f"{event.value:g}")
for tag in sorted(tags["tensors"]):
    plugin = events.SummaryMetadata(tag).plugin_data.plugin_name
    for event in events.Tensors(tag):
        strings = [s.decode("utf-8") for s in event.tensor_proto.string_val]
        if strings:
            print(f"{plugin}: {tag} {event.step}", *strings)
        else:
            print(f"{plugin}: {tag} {event.step} {event.tensor_proto.float_val[0]:g}")
