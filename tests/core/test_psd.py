"""PSD files of another program (tests/psd/make.mjs), of psd-tools, and those that are refused."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from collage_core.errors import CollageError
from collage_core.files import psd_limits, psd_pixels
from collage_core.files.document import read_document
from collage_core.files.psd import Psd, PsdLayer, read_psd
from collage_core.files.psd_document import document_of
from collage_core.files.psd_names import words_of

psd_tools = pytest.importorskip("psd_tools")

FILES = Path(__file__).absolute().parents[1] / "psd"
BENTO = Path(__file__).absolute().parents[3] / "shared/reference/bento_box/bento_box.psd"
RED, GREEN, BLUE, GREY = [200, 20, 30], [10, 180, 40], [20, 40, 220], [90, 90, 90]


def opened(name: str | Path) -> tuple[Psd, dict[str, PsdLayer]]:
    psd = read_psd(FILES / name)
    return psd, {layer.text: layer for layer in psd.layers()}


def box(layer: PsdLayer) -> tuple[int, int, int, int]:
    return layer.left, layer.top, layer.pixels.shape[1], layer.pixels.shape[0]


def alphas(layer: PsdLayer) -> list[int]:
    return sorted({*layer.pixels[..., 3].flatten().tolist()})


def test_a_layer_keeps_its_place_colour_and_settings():
    psd, layers = opened("layers.psd")
    assert (psd.width, psd.height) == (40, 24)
    mug, salmon, steam = (layers[name] for name in ("blue mug", "三文鱼 🍣", "steam"))
    assert box(mug) == (4, 3, 10, 8)
    assert (mug.pixels == [*BLUE, 255]).all()
    assert mug.opacity == pytest.approx(128 / 255)
    assert box(salmon) == (-4, -2, 12, 10)  # parts outside of the canvas are kept
    assert (salmon.pixels == [*RED, 100]).all()
    assert steam.blend == "normal"
    assert psd.notes == [
        'Layer "nothing" has no pixels (pixel) and is left out.',
        'Layer "steam" is blended as linear light, which a collage has not; it becomes normal.',
    ]
    (background, hidden) = [one for one in read_psd(FILES / "layers.psd").layers() if not one.text]
    assert (background.background, hidden.background) == (True, False)
    assert (hidden.visible, hidden.blend) == (False, "multiply")


@pytest.mark.parametrize("name", ["groups.psd", "large.psb"])
def test_groups_are_worked_into_their_layers(name: str):
    psd, layers = opened(name)
    assert [*layers] == ["table", "plate", "fork", "napkin"]
    half = 128 / 255
    assert layers["table"].opacity == 1
    assert box(layers["plate"]) == (2, 2, 18, 6)  # the group's mask cuts it off
    assert layers["napkin"].opacity == pytest.approx(half * 204 / 255)
    assert [one.visible for one in layers.values()] == [True, True, False, True]
    assert 'Layer "Group 1" is a group with an opacity or a mask' in psd.notes[0]


def test_masks_are_multiplied_into_the_alpha():
    _, layers = opened("masks.psd")
    assert box(layers["half"]) == (0, 0, 10, 10)
    assert alphas(layers["half"]) == [255]
    white = layers["outside white"].pixels[..., 3]
    assert (white[2:6, 5:9] == 51).all()
    assert (white != 51).sum() == 200 - 16
    assert alphas(layers["off"]) == [255]  # a disabled mask
    thin = layers["thin"].pixels[..., 3]
    assert (thin[:, :5] == round(255 * (1 - 153 / 255))).all()  # of a density of 60 %
    assert (thin[:, 5:] == 255).all()


def test_a_clipped_layer_has_the_alpha_and_opacity_of_its_base():
    _, layers = opened("clipping.psd")
    assert box(layers["pattern"]) == (10, 8, 5, 7)
    assert alphas(layers["pattern"]) == [128]
    assert layers["pattern"].opacity == pytest.approx(204 / 255)
    assert layers["free"].opacity == 1


def test_layer_styles_are_noted():
    assert (
        'Layer "glow" has layer styles, which are not applied' in opened("effects.psd")[0].notes[0]
    )


def test_a_shape_is_cut_by_its_outline_once():
    psd, layers = opened("shapes.psd")
    assert alphas(layers["sticker"]) == [128]
    said = "is text, whose soft edges painting programs mix a little differently."
    assert psd.notes == [f'Layer "title" {said}']


def test_a_group_is_clipped_as_a_layer_is():
    _, layers = opened("advanced.psd")
    assert box(layers["sauce"]) == (10, 0, 10, 10)
    assert box(layers["shine"]) == (0, 0, 8, 8)


def test_what_a_collage_shows_in_another_way_is_noted_by_its_layer():
    psd, _ = opened("advanced.psd")
    said = {"own": "keeps the blend modes"}
    said |= {"hole": "knocks out", "no red": "leaves out channels", "lights": "Blend If"}
    said |= {"glow": "added with a fill opacity", "board": "is an artboard"}
    for name, what in said.items():
        notes = [note for note in psd.notes if note.startswith(f'Layer "{name}"')]
        assert any(what in note for note in notes), (name, psd.notes)
    assert len(psd.notes) == len(said)


def test_a_soft_edge_of_a_clipping_layer_is_noted():
    said = 'Layer "pattern" is clipped by a layer with a soft edge, where it looks a little'
    assert [note[: len(said)] for note in opened("clipping.psd")[0].notes] == [said]


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Path]:
    """A file that psd-tools writes: layers as arrays [h, w, channels] in [0, 1]."""

    def make(*layers: Any, mode: str = "RGB", depth: int = 8, suffix: str = ".psd") -> Path:
        file = psd_tools.PSDImage.new(mode, (16, 12), depth=depth)
        for number, array in enumerate(layers):
            file.create_pixel_layer_from_array(array, name=f"thing {'ab'[number]}", top=2, left=3)
        file.save(path := tmp_path / f"made{suffix}")
        return path

    return make


def test_sixteen_bits_and_grey_are_read(made: Callable[..., Path]):
    array = np.full((4, 5, 3), 0.501, np.float32)
    (deep,) = read_psd(made(array, depth=16)).layers()
    assert (deep.pixels == [128, 128, 128, 255]).all()
    (grey,) = read_psd(made(array[..., :1], mode="L")).layers()
    assert (grey.pixels == [128, 128, 128, 255]).all()
    assert box(grey) == (3, 2, 5, 4)


def test_the_light_of_thirty_two_bits_becomes_srgb(made: Callable[..., Path]):
    (light,) = read_psd(made(np.full((4, 5, 3), 0.214, np.float32), depth=32)).layers()
    assert (light.pixels == [127, 127, 127, 255]).all()


def test_a_file_without_layers_is_its_merged_picture(made: Callable[..., Path]):
    psd = read_psd(made())
    (one,) = psd.layers()
    assert box(one) == (0, 0, 16, 12)
    assert psd.notes == ["It has no layers: its merged picture is the only one."]


@pytest.mark.skipif(not BENTO.exists(), reason="the paper's own file is not here")
def test_the_file_of_the_paper_is_read():
    _, layers = opened(BENTO)
    assert [*layers] == ["bento box", "rice", "edamame", "ginger", "sushi"]
    flat = np.zeros((512, 512, 4))
    for one in layers.values():
        rows, columns = (slice(s, s + n) for s, n in zip((one.top, one.left),
                         one.pixels.shape, strict=False))  # fmt: skip
        part = one.pixels / 255
        part[..., :3] *= part[..., 3:]
        flat[rows, columns] = part + flat[rows, columns] * (1 - part[..., 3:])
    merged = psd_tools.PSDImage.open(BENTO).numpy("color")
    seen = flat[..., 3] == 1
    assert np.abs(flat[..., :3] - merged)[seen].max() < 1.5 / 255


def kept(pictures: list[Any]) -> Callable[[Any], str]:
    def keep(pixels: Any) -> str:
        pictures.append(pixels)
        return f"collage/{len(pictures):064}.png"

    return keep


def test_a_document_puts_every_layer_where_it_was():
    pictures: list[Any] = []
    text, notes = document_of(read_psd(FILES / "layers.psd"), kept(pictures))
    read = read_document(text)
    assert (read.width, read.height, read.background) == (64, 64, "#5a5a5a")
    assert notes[-1] == "The canvas is 64 x 64 pixels, at 1 of the file's 40 x 24."
    assert "lies far outside and is left out" in notes[-2]
    assert read.prompt == "blue mug, 三文鱼 🍣, steam"
    assert [layer.text for layer in read.layers] == ["blue mug", "三文鱼 🍣", "", "steam"]
    for layer, pixels in zip(read.layers, pictures, strict=True):
        assert (layer.fit, layer.scale, layer.rotation) == ("pixels", 1, 0)
        assert layer.size == (pixels.shape[1], pixels.shape[0])
    mug = read.layers[0]
    assert (mug.x * 64 - 10 / 2, mug.y * 64 - 8 / 2) == pytest.approx((4, 3))


def test_a_large_file_is_halved_until_it_fits():
    def layers() -> Any:
        yield PsdLayer("sky", np.full((3000, 5000, 4), 255, np.uint8), 0, 0, 1, True, "normal")

    psd = Psd(5000, 3000, 0, None)
    psd.layers = layers
    text, notes = document_of(psd, kept([]))
    read = read_document(text)
    assert (read.width, read.height, read.layers[0].scale) == (1256, 752, 0.25)
    assert notes == ["The canvas is 1256 x 752 pixels, at 0.25 of the file's 5000 x 3000."]
    assert (read.layers[0].x * 1256, read.layers[0].y * 752) == pytest.approx((625, 375))


def test_a_background_picture_covers_the_canvas():
    pixels = np.random.default_rng(0).integers(0, 255, (60, 90, 4), np.uint8)

    def layers() -> Any:
        yield PsdLayer("", pixels, 0, 0, 1, True, "normal", background=True)

    psd, pictures = Psd(90, 60, 0, None), []
    psd.layers = layers
    read = read_document(document_of(psd, kept(pictures))[0])
    assert (read.width, read.height, read.layers) == (96, 64, ())
    assert pictures[0].shape == (64, 96, 4)
    assert (pictures[0][:60, :90] == pixels).all()


def test_more_layers_than_a_collage_has_are_refused():
    def layers() -> Any:
        for _ in range(65):
            yield PsdLayer("a", np.ones((2, 2, 4), np.uint8), 0, 0, 1, True, "normal")

    psd = Psd(90, 60, 0, None)
    psd.layers = layers
    with pytest.raises(CollageError, match="more than 64 layers"):
        document_of(psd, kept([]))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("salmon_sushi copy 2.png", "salmon sushi"), ("mug copy", "mug"),
        ("Becher Kopie 3", "Becher"), ("Layer 12", ""), ("Ebene 1", ""), ("图层 3", ""),
        ("レイヤー 1 のコピー", ""), ("", ""),
        ("  ", ""), ("Group 1 copy", ""), ("a mug (2)", "a mug"), ("mug #3", "mug"),
        ("Background", ""), ("42", ""), ("(red:1.3) mug", "red 1.3 mug"),
        ("copy shop", "copy shop"), ("猫", "猫"), ("x" * 300, "x" * 120),
        ("cornucopia", "cornucopia"), ("photocopy copy", "photocopy"), ("Fotokopie", "Fotokopie"),
        ("R2D2", "R2D2"), ("mp3", "mp3"), ("Boeing 747", "Boeing 747"), ("F-16", "F-16"),
        ("F-16 2", "F-16"), ("mug - Copy (2).png", "mug"), ("mug-copy", "mug"), ("Layer1", ""),
        ("Layer 1234", ""), ("1234", ""), ("寿司2", "寿司"), ("寿司副本 3", "寿司"), ("图层3", ""),
        ("mug(2)", "mug"), ("mug#3", "mug"), ("копия", ""), ("чашка копия", "чашка"),
    ],
)  # fmt: skip
def test_names_become_words(name: str, words: str):
    assert words_of(name) == words


HEADER = struct.pack(">4sH6xHIIHH", b"8BPS", 1, 3, 10, 10, 8, 3)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is no PSD file"), (b"GIF89a" * 9, "is no PSD file"), (HEADER, "is damaged"),
        (HEADER[:-1] + b"\x04" + bytes(12), "is CMYK. Save it as RGB, 8 bits."),
        (HEADER[:-1] + b"\x09" + bytes(12), "is Lab"), (HEADER[:-1] + b"\x02", "is indexed"),
        (HEADER[:-1] + b"\x00", "is a bitmap"), (HEADER[:-1] + b"\x63", "a kind of PSD"),
        (struct.pack(">4sH6xHIIHH", b"8BPS", 1, 3, 30001, 1, 8, 3), "has 1 x 30001 pixels"),
        (struct.pack(">4sH6xHIIHH", b"8BPS", 2, 3, 30000, 30000, 8, 3), "at most 64 megapixels"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_by_its_name(tmp_path: Path, data: bytes, says: str):
    (tmp_path / "x.psd").write_bytes(data)
    with pytest.raises(CollageError) as error:
        list(read_psd(tmp_path / "x.psd").layers())
    assert says in str(error.value)
    assert str(error.value).endswith(".")


@pytest.mark.parametrize(
    ("limit", "value", "says"),
    [("MAX_FILE", 100, "has more than 0 MiB"), ("MAX_RECORDS", 2, "more than 2 layers"),
     ("MAX_DEPTH", 0, "groups more than 0 deep"), ("MAX_PIXELS", 200, "megapixels together")],
)  # fmt: skip
def test_limits_hold(monkeypatch: pytest.MonkeyPatch, limit: str, value: int, says: str):
    monkeypatch.setattr(psd_limits, limit, value)
    with pytest.raises(CollageError, match=says):
        read_psd(FILES / "groups.psd")


@pytest.mark.parametrize(("name", "notes"), [("sRGB", 0), ("aRGB", 1)])
def test_a_profile_of_version_4_is_known_by_its_name(tmp_path: Path, name: str, notes: int):
    from PIL import ImageCms
    from psd_tools.psd.image_resources import ImageResource

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert (profile[8], b"sRGB" in profile) == (4, False)  # its texts are UTF-16
    profile = profile.replace("sRGB".encode("utf-16-be"), name.encode("utf-16-be"))
    key = psd_tools.constants.Resource.ICC_PROFILE
    file = psd_tools.PSDImage.new("RGB", (16, 12))
    file.image_resources[key] = ImageResource(key=key, data=profile)
    file.save(path := tmp_path / "profile.psd")
    assert len([note for note in read_psd(path).notes if "colour profile" in note]) == notes


def test_masks_that_are_read_for_hours_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(psd_pixels, "MAX_DECODED", 500)
    with pytest.raises(CollageError, match="read too often"):
        opened("groups.psd")


def test_a_damaged_channel_is_no_black_picture(tmp_path: Path):
    data = bytearray((FILES / "clipping.psd").read_bytes())
    at = data.index(bytes([0, 1]) + bytes([0, 2] * 10))  # a channel in PackBits: ten rows
    data[at + 1] = 2  # but it is said to be deflated
    (tmp_path / "x.psd").write_bytes(data)
    with pytest.raises(CollageError, match="is damaged"):
        list(read_psd(tmp_path / "x.psd").layers())


def test_without_psd_tools_a_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "psd_tools", None)
    with pytest.raises(
        CollageError,
        match=r"^needs the package psd-tools: run `pip install psd-tools>=1.26` with the Python",
    ):
        read_psd(FILES / "layers.psd")


def test_changed_files_end_in_one_sentence():
    run = [sys.executable, str(Path(__file__).with_name("fuzz_files.py")), "psd", "1500"]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert 100 < int(done.stdout) < 1400


def test_the_files_are_those_of_the_script():
    names = {file.name for file in FILES.iterdir()}
    said = (FILES / "make.mjs").read_text("utf-8")
    assert names - {"make.mjs"} == {name for name in names if f"'{name}'" in said}
    assert json.dumps(sorted(names)).count("psd") == 7
