"""The datasets that are downloaded, on small files of the same layout; the network is replaced at its edge."""

from __future__ import annotations

import io
import sys
import tarfile
import types
import zipfile
from pathlib import Path

import pytest

from core.datasets import DATASETS, fetching, load_dataset
from core.datasets.class_names import ANIMALS10, IMAGENETTE
from core.errors import LikenessError
from core.paths import source_dir

DOWNLOADED = ("imagenette", "fashion", "animals10")


@pytest.mark.parametrize("name", DOWNLOADED)
def test_offline_says_what_to_fetch_and_where_to_put_it(name):
    assert not DATASETS[name].available()
    with pytest.raises(LikenessError, match="downloading is switched off") as error:
        load_dataset(name, offline=True)
    assert str(source_dir(name)) in str(error.value)
    assert "https://" in str(error.value)
    assert not source_dir(name).exists()


def test_any_failure_of_a_download_says_the_same():
    for failure in (ConnectionError("no route"), ValueError("checksum"), ImportError("no such package")):
        message = r"X could not be downloaded \(.+\)\. Put it there\."
        with pytest.raises(LikenessError, match=message), fetching.downloading("X", "Put it there."):
            raise failure


def imagenette(root: Path, paint) -> Path:
    for number, (wnid, split) in enumerate((wnid, split) for wnid in IMAGENETTE for split in ("train", "val")):
        paint(root / "imagenette2-160" / split / wnid / f"{wnid}_{number}.JPEG", number, "PNG")
    (root / "imagenette2-160" / "noise_imagenette.csv").write_text("path,noisy_labels_0\n")
    return root / "imagenette2-160"


def check_imagenette(dataset) -> None:
    assert set(dataset.classes) == set(IMAGENETTE.values())
    assert set(dataset.splits.tolist()) == {"train", "val"}
    assert len(dataset) == 20
    assert dataset.ref == "imagenette"


def test_imagenette_folder_and_archive(tmp_path, paint):
    made = imagenette(tmp_path / "made", paint)
    folder = source_dir("imagenette")
    folder.mkdir(parents=True)
    with tarfile.open(folder / "imagenette2-160.tgz", "w:gz") as bundle:
        bundle.add(made, "imagenette2-160")
    assert DATASETS["imagenette"].available()
    calls = []
    check_imagenette(load_dataset("imagenette", offline=True, progress=lambda *call: calls.append(call)))
    assert {stage for stage, _, _ in calls} == {"Unpacking", "Scanning"}
    (folder / "imagenette2-160.tgz").unlink()
    check_imagenette(load_dataset("imagenette", offline=True))
    # A copy elsewhere is shown in English too.
    assert set(load_dataset(str(made)).classes) == set(IMAGENETTE.values())


@pytest.mark.parametrize("damage", ["cut", "escape"])
def test_imagenette_damaged_archive(tmp_path, paint, damage):
    folder = source_dir("imagenette")
    folder.mkdir(parents=True)
    archive = folder / "imagenette2-160.tgz"
    with tarfile.open(archive, "w:gz") as bundle:
        bundle.add(imagenette(tmp_path / "made", paint), "imagenette2-160")
        if damage == "escape":
            member = tarfile.TarInfo("../../evil.png")
            member.size = 1
            bundle.addfile(member, io.BytesIO(b"x"))
    if damage == "cut":
        archive.write_bytes(archive.read_bytes()[:-400])
    with pytest.raises(LikenessError, match="cannot unpack"):
        load_dataset("imagenette")
    assert [path.name for path in folder.iterdir()] == [archive.name]
    assert not list(tmp_path.rglob("evil.png"))


class FakeTorchvision:
    """torchvision as far as the loader knows it: it downloads into ``root`` unless the folder is there."""

    def __init__(self, paint, failure: Exception | None = None) -> None:
        self.calls: list[dict] = []

        def download(root: str, **options) -> None:
            self.calls.append(options)
            folder = Path(root) / "imagenette2-160"
            assert not folder.exists(), "torchvision would take this for the whole dataset"
            (folder / "train" / "n01440764").mkdir(parents=True)
            if failure:
                raise failure
            imagenette(Path(root), paint)

        self.datasets = types.SimpleNamespace(Imagenette=download)


@pytest.fixture
def torchvision(monkeypatch):
    def use(fake: FakeTorchvision) -> FakeTorchvision:
        module = types.ModuleType("core.backbones.vision")
        module.import_torchvision = lambda: fake  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "core.backbones.vision", module)
        return fake

    return use


def test_imagenette_download(paint, torchvision):
    torchvision(FakeTorchvision(paint, OSError("<urlopen error no route>")))
    with pytest.raises(
        LikenessError, match=r"could not be downloaded \(<urlopen error no route>\).*imagenette2-160.tgz"
    ):
        load_dataset("imagenette")
    assert not DATASETS["imagenette"].available(), "half a download is none"
    fake = torchvision(FakeTorchvision(paint))
    check_imagenette(load_dataset("imagenette"))
    assert fake.calls == [{"split": "train", "size": "160px", "download": True}]
    check_imagenette(load_dataset("imagenette"))
    assert len(fake.calls) == 1


def animals(root: Path, paint) -> Path:
    for number, name in enumerate(ANIMALS10):
        for copy in range(3):
            paint(root / name / f"{copy}.jpeg", number * 3 + copy, "JPEG")
    return root


@pytest.mark.parametrize("layout", ["raw-img", ".", "zip", "wrapped zip"])
def test_animals10_layouts(tmp_path, paint, layout):
    folder = source_dir("animals10")
    if "zip" in layout:
        made = animals(tmp_path / "made", paint)
        folder.mkdir(parents=True)
        with zipfile.ZipFile(folder / "archive.zip", "w") as bundle:
            bundle.writestr("translate.py", "")
            for file in made.rglob("*.jpeg"):
                bundle.write(file, ("raw-img/" if layout == "wrapped zip" else "") + str(file.relative_to(made)))
    else:
        animals(folder / layout, paint)
    assert DATASETS["animals10"].available()
    dataset = load_dataset("animals10", offline=True)
    assert set(dataset.classes) == set(ANIMALS10.values())
    assert len(dataset) == 30
    assert load_dataset("animals10", offline=True).fingerprint == dataset.fingerprint
    assert not list(folder.glob(".[!.]*"))


def test_animals10_wrong_zip(paint):
    folder = source_dir("animals10")
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "x.zip", "w") as bundle:
        bundle.writestr("other/x.png", b"x")
    with pytest.raises(LikenessError, match="neither raw-img nor its class folders"):
        load_dataset("animals10")


def test_animals10_names_in_a_users_folder(tmp_path, paint):
    root = animals(tmp_path / "kaggle" / "raw-img", paint)
    assert "dog" in load_dataset(str(root)).classes
    assert "dog" in load_dataset(str(root.parent)).classes
    paint(root / "unicorno" / "x.png", 500)
    assert "cane" in load_dataset(str(root)).classes, "another class: not Animals-10"


def test_animals10_without_kagglehub(monkeypatch):
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(LikenessError, match="kagglehub package, which is not installed"):
        load_dataset("animals10")


def test_animals10_download(tmp_path, paint, monkeypatch):
    kagglehub = types.ModuleType("kagglehub")
    asked = []

    def download(name: str) -> str:
        asked.append(name)
        if len(asked) == 1:
            raise ConnectionError("no route")
        return str(tmp_path / "kaggle")

    kagglehub.dataset_download = download  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "kagglehub", kagglehub)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    animals(tmp_path / "kaggle" / "raw-img", paint)
    with pytest.raises(LikenessError, match=r"could not be downloaded \(no route\)"):
        load_dataset("animals10")
    assert len(load_dataset("animals10")) == 30
    assert len(load_dataset("animals10")) == 30
    assert asked == ["alessiocorrado99/animals10"] * 2
    assert (tmp_path / "kaggle" / "raw-img" / "cane" / "0.jpeg").exists(), "kagglehub's copy is left alone"


def product(tmp_path: Path, paint, number: int) -> dict:
    data = paint(tmp_path / "p" / f"{number}.jpg", number, "JPEG").read_bytes()
    return {
        "id": 1000 + number,
        "gender": "Women" if number % 2 else "Men",
        "masterCategory": "Apparel",
        "subCategory": "Topwear" if number < 6 else "Shoes",
        "articleType": "Shirts",
        "productDisplayName": f"Shirt, number {number}",
        "image": {"bytes": data, "path": None},
    }


@pytest.fixture
def products(tmp_path, paint) -> list[dict]:
    return [product(tmp_path, paint, number) for number in range(12)]


def check_fashion(dataset, products) -> None:
    assert dataset.classes == ("Shoes", "Topwear")
    assert len(dataset) == 12
    assert dataset.root == source_dir("fashion")
    for row, path in enumerate(dataset.paths.tolist()):
        item = products[int(Path(path).stem) - 1000]
        assert dataset.file(row).read_bytes() == item["image"]["bytes"]
        assert dataset.metadata["gender"][row] == item["gender"]
        assert dataset.metadata["productDisplayName"][row] == item["productDisplayName"]


def write_parquet(path: Path, rows: list[dict]) -> None:
    import pyarrow
    import pyarrow.parquet

    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)


@pytest.mark.parametrize("place", [".", "data"])
def test_fashion_from_parquet(products, place):
    folder = source_dir("fashion")
    write_parquet(folder / place / "train-00000-of-00002.parquet", products[:7])
    write_parquet(folder / place / "train-00001-of-00002.parquet", products[7:])
    assert DATASETS["fashion"].available()
    dataset = load_dataset("fashion", offline=True)
    check_fashion(dataset, products)
    for file in folder.rglob("*.parquet"):
        file.unlink()
    assert load_dataset("fashion", offline=True).fingerprint == dataset.fingerprint
    assert not (folder / ".huggingface").exists()


def test_fashion_goes_on_after_a_kill(products):
    folder = source_dir("fashion")
    write_parquet(folder / "x.parquet", products)

    def kill(stage: str, done: int, total: int) -> None:
        if stage == "Unpacking" and done == total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_dataset("fashion", progress=kill)
    assert not (folder / "labels.csv").exists()
    times = {path: path.stat().st_mtime_ns for path in (folder / "images").iterdir()}
    check_fashion(load_dataset("fashion"), products)
    assert times == {path: path.stat().st_mtime_ns for path in (folder / "images").iterdir()}


def test_fashion_hostile_rows(products, tmp_path):
    products[0]["id"] = "../../../evil"
    products[1]["image"] = None
    products[2]["subCategory"] = None
    for item in products:
        item["id"] = str(item["id"])
    write_parquet(source_dir("fashion") / "x.parquet", products)
    dataset = load_dataset("fashion")
    assert not list(tmp_path.rglob("evil*"))
    assert "images/row-0.jpg" in dataset.paths.tolist()
    assert {(file.path, file.reason) for file in dataset.skipped} == {
        ("images/1001.jpg", "row 3: no such file or directory"),
        ("images/1002.jpg", "row 4: no label"),
    }


@pytest.mark.parametrize("content", [b"not parquet", None])
def test_fashion_wrong_parquet(content):
    folder = source_dir("fashion")
    write_parquet(folder / "x.parquet", [{"id": 1, "picture": b""}])
    if content:
        (folder / "x.parquet").write_bytes(content)
    with pytest.raises(LikenessError, match=r"cannot read .*x\.parquet.*Fetch the"):
        load_dataset("fashion")


def test_fashion_download(products, monkeypatch):
    import datasets

    answers = [
        ConnectionError("Couldn't reach the Hub"),
        datasets.Dataset.from_list(products),
    ]
    asked = []

    def load(name: str, **options):
        asked.append((name, options["split"]))
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(datasets, "load_dataset", load)
    with pytest.raises(LikenessError, match=r"could not be downloaded \(Couldn't reach the Hub\)\. Fetch"):
        load_dataset("fashion")
    check_fashion(load_dataset("fashion"), products)
    load_dataset("fashion")
    assert asked == [("ashraq/fashion-product-images-small", "train")] * 2


def test_fashion_from_kaggle(products):
    folder = source_dir("fashion")
    (folder / "images").mkdir(parents=True)
    lines = ["id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,productDisplayName"]
    for item in products:
        (folder / "images" / f"{item['id']}.jpg").write_bytes(item["image"]["bytes"])
        columns = ("id", "gender", "masterCategory", "subCategory", "articleType")
        lines.append(
            ",".join(str(item[name]) for name in columns) + f',Blue,Fall,2011,Casual,"{item["productDisplayName"]}"'
        )
    lines.append("9,Men,Apparel,Topwear,Shirts,Blue,Fall,2011,Casual,A name, with commas, unquoted")
    (folder / "styles.csv").write_text("\n".join(lines))
    dataset = load_dataset("fashion", offline=True)
    check_fashion(dataset, products)
    assert [(file.path, file.reason) for file in dataset.skipped] == [
        ("images/9.jpg", "row 14: no such file or directory")
    ]


def test_fashion_wrong_styles():
    source_dir("fashion").mkdir(parents=True)
    (source_dir("fashion") / "styles.csv").write_text("a,b\n")
    with pytest.raises(LikenessError, match="has the columns a, b; expected id and subCategory"):
        load_dataset("fashion")
