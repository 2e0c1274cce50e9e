"""`make demo` on a Debian without the package that makes virtual environments says which one to install."""

import subprocess
import sys

from portal.shell import venv


def test_a_python_without_ensurepip_is_told_by_its_package(tmp_path, monkeypatch):
    python = tmp_path / "python"
    python.write_text(
        "#!/bin/sh\n"
        'case "$*" in\n'
        '  *--without-pip*) mkdir -p "$4/bin"; ln -sf "$0" "$4/bin/python" ;;\n'
        '  *"-m pip"*) exit 1 ;;\n'
        '  *--clear*) echo "not created successfully because ensurepip is not available"; exit 1 ;;\n'
        "esac\n"
    )
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setattr(venv, "VENV", tmp_path / "new")
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert f"install the package python{version}-venv" in venv.create()


def test_packages_are_left_alone_when_they_fit(tmp_path, monkeypatch):
    stamp = tmp_path / "stamp"
    monkeypatch.setattr(venv, "STAMP", stamp)
    monkeypatch.setattr(venv, "VENV", tmp_path / "none")

    def nothing(*args, **kwargs):
        raise AssertionError("nothing is to be installed")

    monkeypatch.setattr(subprocess, "run", nothing)
    stamp.write_text(venv.wanted("dev"))
    assert venv.make("demo") == ""
    assert venv.make("dev") == ""
