"""Writes the bill of materials of an image, as CycloneDX 1.6 JSON.

In: a root filesystem from `rootfs`, a venv, pip's report of what it put there, and the project.
Out: a component for each Python package, with the digest of the file that it was installed
from, for Python itself and for each Debian package that a file came from; and which Python
package needs which. The same image has the same bill: it holds no time and no random number.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tomllib
import uuid
from collections import defaultdict
from email.parser import HeaderParser
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name

EXTRAS = ("entities", "otel")


def bill(root: Path, packages: Path, report: Path, project: Path) -> dict[str, Any]:
    """What the image is made of."""
    installed = {canonicalize_name(each.name): each for each in distributions(path=[str(packages)])}
    digests = {
        canonicalize_name(each["metadata"]["name"]): _sha256(each["download_info"])
        for each in json.loads(report.read_text(encoding="utf-8"))["install"]
    }
    python = {name: _package(each, digests[name]) for name, each in sorted(installed.items())}
    stanzas = sorted(root.glob("var/lib/dpkg/status.d/*"))
    facts = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    program = {
        "type": "application",
        "bom-ref": facts["name"],
        "name": facts["name"],
        "version": facts["version"],
        "description": facts["description"],
        "licenses": [{"expression": facts["license"]}],
    }
    extras = [each for extra in EXTRAS for each in facts["optional-dependencies"][extra]]
    needs = _needs(facts["name"], facts["dependencies"] + extras, installed)
    refs = {facts["name"]: facts["name"]} | {name: each["bom-ref"] for name, each in python.items()}
    content = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": program},
        "components": [*python.values(), _interpreter(), *_debian(root, stanzas)],
        "dependencies": [
            {"ref": refs[name], "dependsOn": sorted(refs[each] for each in needed)}
            for name, needed in sorted(needs.items())
        ],
    }
    serial = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(content, sort_keys=True))
    return {**content, "serialNumber": f"urn:uuid:{serial}"}


def _sha256(download: dict[str, Any]) -> str:
    return str(download["archive_info"]["hash"]).removeprefix("sha256=")


def _package(package: Distribution, sha256: str) -> dict[str, Any]:
    name = canonicalize_name(package.name)
    purl = f"pkg:pypi/{name}@{package.version}"
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": package.version,
        "hashes": [{"alg": "SHA-256", "content": sha256}],
        "purl": purl,
    }
    told = package.metadata
    classified = [
        each.rpartition(" :: ")[2]
        for each in told.get_all("Classifier", [])
        if each.startswith("License :: ")
    ]
    if expression := told.get("License-Expression"):
        component["licenses"] = [{"expression": expression}]
    elif (named := told.get("License", "").strip()) and "\n" not in named:
        component["licenses"] = [{"license": {"name": named}}]
    elif classified:
        component["licenses"] = [{"license": {"name": each}} for each in classified]
    return component


def _interpreter() -> dict[str, Any]:
    version = platform.python_version()
    purl = f"pkg:generic/python@{version}"
    return {
        "type": "platform",
        "bom-ref": purl,
        "name": "python",
        "version": version,
        "cpe": f"cpe:2.3:a:python:python:{version}:*:*:*:*:*:*:*",
        "purl": purl,
        "licenses": [{"expression": "PSF-2.0"}],
    }


def _debian(root: Path, stanzas: list[Path]) -> list[dict[str, Any]]:
    lines = (root / "etc/os-release").read_text(encoding="utf-8").splitlines()
    system = {name: value.strip('"') for name, _, value in (line.partition("=") for line in lines)}
    components = []
    for path in stanzas:
        told = HeaderParser().parsestr(path.read_text(encoding="utf-8"))
        source = told.get("Source", told["Package"]).partition(" ")[0]
        place = f"distro={system['ID']}-{system['VERSION_ID']}&upstream={source}"
        version = told["Version"].replace("+", "%2B").replace(":", "%3A")
        purl = f"pkg:deb/{system['ID']}/{told['Package']}@{version}"
        purl += f"?arch={told['Architecture']}&{place}"
        components.append(
            {
                "type": "library",
                "bom-ref": purl,
                "name": told["Package"],
                "version": told["Version"],
                "purl": purl,
            }
        )
    return components


def _needs(
    program: str, wanted: list[str], installed: dict[str, Distribution]
) -> dict[str, set[str]]:
    """Name -> names that it needs, for the program and all that it leads to."""
    found: dict[str, set[str]] = defaultdict(set)
    seen: set[tuple[str, str]] = set()
    waiting = [(program, "", each) for each in wanted]
    while waiting:
        by, extra, text = waiting.pop()
        requirement = Requirement(text)
        name = canonicalize_name(requirement.name)
        marker = requirement.marker
        if name not in installed or not (marker is None or marker.evaluate({"extra": extra})):
            continue
        found[by].add(name)
        found[name] |= set()
        for each in ("", *requirement.extras):
            if (name, each) not in seen:
                seen.add((name, each))
                waiting += [(name, each, line) for line in installed[name].requires or ()]
    return found


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    for argument in ("root", "packages", "report", "project"):
        asked.add_argument(argument, type=Path)
    json.dump(bill(**vars(asked.parse_args())), sys.stdout, indent=1)
