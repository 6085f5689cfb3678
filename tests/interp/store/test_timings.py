import json
import shutil
import time

from interp.store.timings import Stages


def test_stages_say_what_was_begun_earlier(tmp_path):
    stages, outputs = Stages(tmp_path / "timings.json"), [tmp_path / "a", tmp_path / "b"]

    def write(*folders):
        for folder in folders:
            folder.mkdir(exist_ok=True)
            (folder / "manifest.json").write_text(folder.name)

    with stages.stage("whole", *outputs):
        write(*outputs)
    shutil.rmtree(outputs[1])
    with stages.stage("half", *outputs):
        write(outputs[1])
    (tmp_path / "c.checkpoints").mkdir()
    with stages.stage("killed", tmp_path / "c"):
        write(tmp_path / "c")
    assert [record["resumed"] for record in stages.record.values()] == [False, True, True]
    later = Stages(tmp_path / "timings.json")
    with later.stage("whole", *outputs):
        pass
    later.finish()
    assert set(Stages(tmp_path / "timings.json").record) == {"whole"}


def test_stages_record_time_and_memory(tmp_path, capsys):
    stages = Stages(tmp_path / "timings.json")
    with stages.stage("work"):
        block = bytearray(64 * 2**20)
        time.sleep(0.3)  # takes no processor time
    assert len(block)
    record = json.loads((tmp_path / "timings.json").read_text())["work"]
    assert record["seconds"] >= 0.3
    assert 0 <= record["cpu_seconds"] < record["seconds"]
    assert record["peak_mb"] > 64
    assert "work" in capsys.readouterr().out
