"""Tests ci/fleet-comment with a server that simulates GitHub, GitLab and Azure DevOps, and with the real kbfix.

Usage: comments.py KBFIX. Needs bash, curl and jq.
"""

import http.server
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
KBFIX = str(pathlib.Path(sys.argv[1]).resolve())
TOKEN = "token-that-nobody-may-see"
MARKER = "<!-- kbfix fleet -->"
GITHUB = {"GITHUB_REPOSITORY": "us/specs", "GITHUB_REF": "refs/pull/7/merge"}
GITLAB = {"CI_PROJECT_ID": "12", "CI_MERGE_REQUEST_IID": "7"}
AZURE = {"SYSTEM_TEAMPROJECT": "Our Servers", "BUILD_REPOSITORY_ID": "ab-12", "SYSTEM_PULLREQUEST_PULLREQUESTID": "7"}


class Service(http.server.ThreadingHTTPServer):
    """One of the services: it stores comments as (author, text), and has the URLs of its documentation."""

    def __init__(self, kind: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.kind = kind
        self.comments: list[list[str]] = []
        self.writes: list[str] = []
        self.refuse: tuple[str, int] | None = None
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def environment(self) -> dict[str, str]:
        url = f"http://127.0.0.1:{self.server_address[1]}"
        return {
            "github": {**GITHUB, "GITHUB_API_URL": url},
            "gitlab": {**GITLAB, "CI_API_V4_URL": f"{url}/api/v4"},
            "azure": {**AZURE, "SYSTEM_COLLECTIONURI": f"{url}/us/"},
        }[self.kind]

    def me(self) -> str:
        return {"github": "github-actions[bot]", "gitlab": "31", "azure": "c0ffee"}[self.kind]

    def answer(self, method: str, path: str, query: dict[str, str], headers: dict[str, str], data: object) -> tuple[int, object]:
        if self.refuse and self.refuse[0] == method:
            return self.refuse[1], {"message": f"refused with {self.refuse[1]}"}
        name, value = {"gitlab": ("private-token", TOKEN)}.get(self.kind, ("authorization", f"Bearer {TOKEN}"))
        if headers.get(name) != value:
            return 401, {"message": "Bad credentials"}
        return getattr(self, self.kind)(method, path, query, data)

    def write(self, at: int | None, text: str) -> int:
        self.writes.append("new" if at is None else "update")
        if at is None:
            self.comments.append([self.me(), text])
        else:
            self.comments[at][1] = text
        return len(self.comments)

    def page(self, query: dict[str, str], one: object) -> list:
        size, page = int(query["per_page"]), int(query["page"])
        return [one(at, *comment) for at, comment in enumerate(self.comments)][size * (page - 1) : size * page]

    def github(self, method: str, path: str, query: dict[str, str], data: dict) -> tuple[int, object]:
        def one(at: int, author: str, text: str) -> dict:
            return {"id": at + 1000, "user": {"login": author}, "body": text}

        if method == "GET" and path == "/repos/us/specs/issues/7/comments":
            return 200, self.page(query, one)
        if method == "POST" and path == "/repos/us/specs/issues/7/comments":
            if len(data["body"]) > 65536:
                return 422, {"message": "Body is too long (maximum is 65536 characters)"}
            return 201, {"id": self.write(None, data["body"])}
        if method == "PATCH" and (found := re.fullmatch(r"/repos/us/specs/issues/comments/(\d+)", path)):
            return 200, {"id": self.write(int(found[1]) - 1000, data["body"])}
        return 404, {"message": "Not Found"}

    def gitlab(self, method: str, path: str, query: dict[str, str], data: dict) -> tuple[int, object]:
        def one(at: int, author: str, text: str) -> dict:
            return {"id": at + 1000, "author": {"id": int(author)}, "body": text, "system": False}

        notes = "/api/v4/projects/12/merge_requests/7/notes"
        if method == "GET" and path == "/api/v4/user":
            return 200, {"id": 31, "username": "project_12_bot"}
        if method == "GET" and path == notes:
            return 200, self.page(query, one)
        if method == "POST" and path == notes:
            return 201, {"id": self.write(None, data["body"])}
        if method == "PUT" and (found := re.fullmatch(rf"{notes}/(\d+)", path)):
            return 200, {"id": self.write(int(found[1]) - 1000, data["body"])}
        return 404, {"message": "404 Not found"}

    def azure(self, method: str, path: str, query: dict[str, str], data: dict) -> tuple[int, object]:
        threads = "/us/Our%20Servers/_apis/git/repositories/ab-12/pullRequests/7/threads"
        if method == "GET" and path == "/us/_apis/connectionData":
            return 200, {"authenticatedUser": {"id": "c0ffee"}}
        if not path.startswith(threads) or query.get("api-version") != "7.1":
            return 404, {"message": "VS800075: The project does not exist"}
        if method == "GET" and path == threads:
            # Systems write threads too, whose comments have no content.
            system = {"id": 1, "isDeleted": False, "comments": [{"id": 1, "author": {"id": "c0ffee"}}]}
            each = [
                {"id": at + 1000, "isDeleted": False, "comments": [{"id": 1, "author": {"id": author}, "content": text}]}
                for at, (author, text) in enumerate(self.comments)
            ]
            return 200, {"value": [system, *each], "count": len(each) + 1}
        if method == "POST" and path == threads:
            assert data["status"] == "closed", data
            return 200, {"id": self.write(None, data["comments"][0]["content"])}
        if method == "PATCH" and (found := re.fullmatch(rf"{threads}/(\d+)/comments/1", path)):
            return 200, {"id": self.write(int(found[1]) - 1000, data["content"])}
        return 404, {"message": "not found"}


class Handler(http.server.BaseHTTPRequestHandler):
    server: Service

    def handle_any(self) -> None:
        address = urllib.parse.urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        data = json.loads(self.rfile.read(length)) if length else None
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = dict(urllib.parse.parse_qsl(address.query))
        status, answer = self.server.answer(self.command, address.path, query, headers, data)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    do_GET = do_POST = do_PATCH = do_PUT = handle_any

    def log_message(self, *_: object) -> None:
        pass


class Comments(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        for name in ("one", "two", "many"):
            (cls.folder / name).mkdir()
        example = str(cls.folder / "example")
        subprocess.run([KBFIX, "example", example], check=True, capture_output=True)
        for name in ("one/FE1.json", "two/FE1.json", "two/FE2.json"):
            snapshot = [KBFIX, "snapshot", "KB909094", "--target", f"image:{example}", "--out", str(cls.folder / name)]
            subprocess.run(snapshot, check=True, capture_output=True)
        for at in range(400):
            (cls.folder / f"many/{at:04}{'n' * 150}.json").write_text("{")

    @classmethod
    def tearDownClass(cls) -> None:
        cls.temporary.cleanup()

    def run_script(self, service: Service, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "CI_", "SYSTEM_", "KBFIX"))}
        done = subprocess.run(
            ["bash", "-x", str(ROOT / "ci/fleet-comment"), service.kind, *arguments],
            env={**clean, **service.environment(), "KBFIX": KBFIX, "KBFIX_TOKEN": TOKEN, "no_proxy": "*", **environment},
            cwd=self.folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
        )
        self.assertNotIn(environment.get("KBFIX_TOKEN", TOKEN), done.stdout + done.stderr)
        return done

    def each(self):
        for kind in ("github", "gitlab", "azure"):
            service = Service(kind)
            with self.subTest(kind):
                yield service
            service.shutdown()
            service.server_close()

    def test_first_new_then_updated_and_no_other_touched(self) -> None:
        for service in self.each():
            others = [["1", "looks good"], ["2", f"{MARKER}\nof somebody else"], [service.me(), f"> {MARKER}\nquoted"],
                      [service.me(), "<!-- kbfix fleet impact -->\nanother report"]]
            service.comments = [list(other) for other in others * 40]  # more than a page has
            done = self.run_script(service, "diff", "KB909094", "--snapshots", "one")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("posted a comment (kbfix: exit code 1)", done.stdout)
            author, text = service.comments[-1]
            self.assertTrue(text.startswith(f"{MARKER}\n") and "1 machine (" in text, text)
            done = self.run_script(service, KBFIX_ARGUMENTS="diff KB909094 --snapshots two")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("updated comment", done.stdout)
            self.assertEqual(service.writes, ["new", "update"])
            self.assertEqual(service.comments[:-1], others * 40)
            self.assertIn("2 machines (", service.comments[-1][1])

    def test_impact_has_a_comment_of_its_own(self) -> None:
        for service in self.each():
            for arguments in (["diff", "KB909094"], ["impact", "KB909094", "--base", "KB909094"]):
                done = self.run_script(service, *arguments, "--snapshots", "one")
                self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(service.writes, ["new", "new"])
            self.assertTrue(service.comments[1][1].startswith("<!-- kbfix fleet impact -->\n"))

    def test_a_large_fleet_fits(self) -> None:
        for service in self.each():
            done = self.run_script(service, "diff", "KB909094", "--snapshots", "many")
            self.assertEqual(done.returncode, 0, done.stderr)
            text = service.comments[0][1]
            self.assertLessEqual(len(text.encode()), 65000)
            self.assertRegex(text, r"Not shown here: \d+ machines")

    def test_what_the_service_refuses(self) -> None:
        meant = {401: "the token is wrong or has expired", 403: "the token may not do this", 404: "there is no such pull request",
                 422: "the service refuses it", 500: "the service cannot answer now"}
        for service in self.each():
            for method in ("GET", "POST"):
                for status, words in meant.items():
                    service.refuse = (method, status)
                    done = self.run_script(service, "diff", "KB909094", "--snapshots", "one")
                    self.assertEqual(done.returncode, 1, done.stderr)
                    self.assertIn(f"HTTP {status} (refused with {status}): {words}", done.stderr)
            self.assertEqual(service.comments, [])
            service.refuse = None
            done = self.run_script(service, "diff", "KB909094", "--snapshots", "one", KBFIX_TOKEN="of-another-time")
            self.assertEqual(done.returncode, 1)
            self.assertIn("HTTP 401", done.stderr)

    def test_an_update_that_is_refused_makes_no_second_comment(self) -> None:
        meant = {401: "the token is wrong or has expired", 403: "the token may not do this; it needs",
                 404: "the comment was deleted while this job ran, or the token may not see it; run the job again",
                 409: "the service refuses it", 429: "the service cannot answer now", 500: "the service cannot answer now; run the job again",
                 503: "the service cannot answer now"}
        for service in self.each():
            line = ["diff", "KB909094", "--snapshots"]
            self.assertEqual(self.run_script(service, *line, "one").returncode, 0)
            before = [list(comment) for comment in service.comments]
            method = {"github": "PATCH", "gitlab": "PUT", "azure": "PATCH"}[service.kind]
            for status, words in meant.items():
                service.refuse = (method, status)
                done = self.run_script(service, *line, "two")
                self.assertEqual(done.returncode, 1, done.stderr)
                error = re.search(r"^fleet-comment: .*", done.stderr, re.M)
                self.assertIsNotNone(error, done.stderr)
                self.assertRegex(error[0], rf"^fleet-comment: {method} http://\S+: HTTP {status} \(refused with {status}\): {re.escape(words)}")
                self.assertNotIn("updated", done.stdout)
                self.assertEqual((service.comments, service.writes), (before, ["new"]))
            # Once the service accepts it again, the same comment is updated.
            service.refuse = None
            self.assertEqual(self.run_script(service, *line, "two").returncode, 0)
            self.assertEqual((len(service.comments), service.writes), (1, ["new", "update"]))

    def test_nobody_answers(self) -> None:
        service = Service("github")
        service.shutdown()
        service.server_close()
        done = self.run_script(service, "diff", "KB909094", "--snapshots", "one")
        self.assertEqual(done.returncode, 1)
        self.assertIn("there is no answer", done.stderr)

    def test_without_a_report_there_is_no_comment(self) -> None:
        for service in self.each():
            done = self.run_script(service, "diff", "KB909094", "--snapshots", "nowhere")
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("file-access", done.stderr)
            done = self.run_script(service, "plan", "KB909094", "--snapshots", "one", "--out", "x")
            self.assertEqual(done.returncode, 2)
            self.assertIn("none of diff, impact and drift", done.stderr)
            self.assertEqual(service.writes, [])

    def test_outside_of_a_pull_request(self) -> None:
        for service in self.each():
            name = {"github": "GITHUB_REF", "gitlab": "CI_MERGE_REQUEST_IID", "azure": "SYSTEM_PULLREQUEST_PULLREQUESTID"}[service.kind]
            done = self.run_script(service, "diff", "KB909094", "--snapshots", "one", **{name: ""})
            self.assertEqual(done.returncode, 2)
            self.assertIn(name, done.stderr)
        service = Service("github")
        done = self.run_script(service, "diff", GITHUB_REF="refs/heads/main")
        self.assertIn("no pull request", done.stderr)
        service.server_close()

    def test_what_github_keeps(self) -> None:
        service = Service("github")
        service.refuse = ("POST", 403)
        summary, output = self.folder / "summary", self.folder / "output"
        line = ["diff", "KB909094", "--snapshots", "one"]
        done = self.run_script(service, *line, GITHUB_STEP_SUMMARY=str(summary), GITHUB_OUTPUT=str(output))
        self.assertEqual(done.returncode, 1)
        self.assertIn("1 machine: ", summary.read_text())
        service.refuse = None
        self.run_script(service, *line, GITHUB_OUTPUT=str(output))
        self.assertEqual(output.read_text(), "exit-code=1\n")
        service.server_close()


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
