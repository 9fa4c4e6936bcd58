"""A task with two classes."""

from harness.inputs.tasks import Task, tasks

tasks.add("stripes", Task("stripes", (3, 8, 8), 2, images="stripes_train"))
