"""Visitors of a course, and, where EDIT_URL is set, somebody who edits it and purges what was fetched of it.

A page is stale that was asked for after a purge was acknowledged and shows what was there before the edit.
"""

import os
import re
import urllib.request

import gevent
from locust import HttpUser, constant, events, task

REVISIONS = re.compile(r"<p>(\d+) (\d+) (\d+)$")
EDIT_URL = os.environ.get("EDIT_URL")
EDIT_EVERY_S = 2
acknowledged = 1


def call(url, method, headers=None, body=None):
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def edit(environment):
    global acknowledged
    headers = {"authorization": f"Bearer {os.environ['TOKEN']}", "content-type": "application/json"}
    while environment.runner.state not in ("stopping", "stopped"):
        gevent.sleep(EDIT_EVERY_S)
        revision = int(call(EDIT_URL, "PUT"))
        call(os.environ["PURGE_URL"], "POST", headers, b'{"tags": ["course-7"]}')
        acknowledged = revision


@events.test_start.add_listener
def start(environment, **_):
    if EDIT_URL:
        gevent.spawn(edit, environment)


@events.quitting.add_listener
def end(environment, **_):
    environment.process_exit_code = 1 if environment.stats.total.num_failures else 0


class Visitor(HttpUser):
    wait_time = constant(0.1)

    @task
    def course(self):
        asked_at = acknowledged
        headers = {"host": os.environ["APP_HOST"]}
        with self.client.get("/?course=7&user=ada", headers=headers, name="course", catch_response=True) as answer:
            found = REVISIONS.search(answer.text or "")
            if answer.status_code != 200 or found is None:
                answer.failure(f"{answer.status_code}: {answer.text[:100]}")
            elif min(map(int, found.groups())) < asked_at:
                answer.failure(f"stale: {found[0]} after {asked_at}")
