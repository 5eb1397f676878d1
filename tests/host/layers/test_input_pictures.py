"""From names of a document to files of the input folder and to pixels."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import random
import zlib
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image, ImageOps


@pytest.fixture
def pictures(pack):
    return pack.nodes.host.files.input_pictures


@pytest.fixture
def folder(temp_folder) -> Path:
    return temp_folder / "input"


@pytest.fixture
def refused(pictures, pack):
    """What is said of a name."""

    def run(name: str) -> str:
        with pytest.raises(pack.collage_core.errors.CollageError) as error:
            pictures.read_picture(name)
        return str(error.value)

    return run


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def gradient(mode: str = "RGBA", size: tuple[int, int] = (17, 11)) -> Image.Image:
    count = size[0] * size[1] * len(mode)
    return Image.frombytes(mode, size, bytes(i * 37 % 256 for i in range(count)))


def bytes_of(image: torch.Tensor) -> bytes:
    return bytes((image[0] * 255).round().byte().flatten().tolist())


@pytest.mark.parametrize(
    "name", ["../secret.png", "a/../../secret.png", "/etc/secret.png", "secret.png [output]",
             "C:/secret.png", "..\\secret.png", "collage/../../secret.png", "", "secret.gif"]
)  # fmt: skip
def test_no_name_leads_out_of_the_input_folder(refused, folder, name):
    (folder.parent / "secret.png").write_bytes(encoded(gradient()))
    (folder.parent / "output" / "secret.png").write_bytes(encoded(gradient()))
    assert "is no name of a picture in ComfyUI's input folder" in refused(name)


def test_links_are_followed_inside_the_folder_alone(pictures, refused, folder):
    secret = folder.parent / "secret.png"
    for path in (secret, folder / "inside.png"):
        path.write_bytes(encoded(gradient()))
    (folder / "out.png").symlink_to(secret)
    (folder / "folder").symlink_to(folder.parent)
    (folder / "in.png").symlink_to(folder / "inside.png")
    (folder / "circle.png").symlink_to(folder / "circle.png")
    assert "is a link to a place outside" in refused("out.png")
    assert "is a link to a place outside" in refused("folder/secret.png")
    assert "is not in ComfyUI's input folder" in refused("circle.png")
    assert pictures.read_picture("in.png")[0].shape == (1, 11, 17, 4)


def test_only_files_are_read(refused, folder):
    (folder / "folder.png").mkdir()
    os.mkfifo(folder / "pipe.png")
    assert "is no file" in refused("folder.png")
    assert "is no file" in refused("pipe.png")
    assert "is not in ComfyUI's input folder" in refused("folder.png/a.png")


def test_an_input_folder_that_is_a_link_is_as_good(pictures, folder, monkeypatch):
    import folder_paths

    (folder / "a.png").write_bytes(encoded(gradient()))
    (folder.parent / "linked").symlink_to(folder)
    monkeypatch.setattr(folder_paths, "input_directory", str(folder.parent / "linked"))
    assert pictures.read_picture("a.png")[0].shape == (1, 11, 17, 4)


WRITTEN = {
    "PNG": ["RGBA", "RGB", "L", "LA", "P", "1"],
    "JPEG": ["RGB", "L", "1", "CMYK"],
    "WEBP": ["RGBA", "RGB", "L", "LA", "P"],
}


@pytest.mark.parametrize(("kind", "mode"), [(k, mode) for k in WRITTEN for mode in WRITTEN[k]])
def test_pixels_are_pillow_s(pictures, folder, kind, mode):
    picture = gradient("RGBA").convert(mode) if mode != "CMYK" else gradient("CMYK")
    (folder / "a.png").write_bytes(encoded(picture, kind))  # whatever its name says
    image, notes = pictures.read_picture("a.png")
    with Image.open(folder / "a.png") as wanted:
        assert bytes_of(image) == wanted.convert("RGBA").tobytes()
    assert notes == ()
    assert image.dtype == torch.float32


def test_deep_greys_are_scaled_and_not_cut_off(pictures, folder):
    deep = Image.new("I;16", (3, 1))
    for x, value in enumerate((0, 257 * 100, 65535)):
        deep.putpixel((x, 0), value)
    deep.save(folder / "deep.png")
    assert bytes_of(pictures.read_picture("deep.png")[0])[::4] == bytes([0, 100, 255])


def test_transparent_palettes_and_turned_photos(pictures, folder):
    Image.new("P", (4, 4)).save(folder / "palette.png", transparency=0)
    assert not pictures.read_picture("palette.png")[0][..., 3].any()
    exif = Image.Exif()
    exif[0x0112] = 6  # turned to the right
    (folder / "turned.jpg").write_bytes(encoded(gradient("RGB"), "JPEG", exif=exif))
    with Image.open(folder / "turned.jpg") as photo:
        wanted = ImageOps.exif_transpose(photo).convert("RGBA")
    assert bytes_of(pictures.read_picture("turned.jpg")[0]) == wanted.tobytes()
    seen = pictures.look_at("turned.jpg")
    assert (seen.width, seen.height) == wanted.size == (11, 17)


def test_of_an_animation_the_first_frame_is_read_and_noted(pictures, folder):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    frames[0].save(folder / "moves.webp", save_all=True, append_images=frames[1:], lossless=True)
    image, notes = pictures.read_picture("moves.webp")
    assert bytes_of(image)[:4] == bytes([255, 0, 0, 255])
    assert notes == ("moves.webp has 2 frames, and the first is used",)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "PDF"])
def test_other_kinds_are_refused_whatever_their_name(refused, folder, kind):
    (folder / "a.png").write_bytes(encoded(gradient("RGB"), kind))
    assert "is no PNG, JPEG or WEBP file" in refused("a.png")


@pytest.mark.parametrize(("width", "height"), [(8193, 8193), (2**20, 2**20)])
def test_too_many_pixels_are_refused_before_they_are_decoded(pictures, pack, folder, width, height):
    small = bytearray(encoded(Image.new("1", (1, 1))))
    small[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    small[29:33] = zlib.crc32(small[12:29]).to_bytes(4, "big")
    (folder / "bomb.png").write_bytes(small)
    with pytest.raises(pack.collage_core.errors.CollageError, match="at most 64 megapixels"):
        pictures.look_at("bomb.png")


def test_a_huge_file_is_refused_before_it_is_read(refused, folder):
    with open(folder / "huge.png", "wb") as file:
        file.write(encoded(gradient()))
        file.truncate(2**29 + 1)  # a hole, which takes no room
    assert "has more than 512 MiB. Save it smaller." in refused("huge.png")


def test_a_name_with_a_hash_is_held_to_it(pictures, refused, folder):
    data = encoded(gradient())
    name = f"collage/{hashlib.sha256(data).hexdigest()}.png"
    (folder / "collage").mkdir()
    (folder / name).write_bytes(data)
    assert pictures.look_at(name).sha256 in name
    assert bytes_of(pictures.read_picture(name)[0]) == gradient().tobytes()
    (folder / name).write_bytes(encoded(gradient("RGB")))
    assert "was changed: its content has another hash than its name" in refused(name)


def test_damaged_files_end_in_one_sentence(pictures, pack, folder):
    """Whatever is wrong with a file: pixels, or CollageError."""
    chance, read = random.Random(5), 0
    files = [encoded(gradient(), "PNG"), encoded(gradient("RGB"), "JPEG"),
             encoded(gradient(), "WEBP", lossless=True), encoded(gradient("L"), "PNG")]  # fmt: skip
    for _ in range(400):
        data = bytearray(chance.choice(files))
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        del data[chance.choice([len(data), chance.randrange(len(data))]) :]
        (folder / "a.png").write_bytes(data)
        with contextlib.suppress(pack.collage_core.errors.CollageError):
            assert pictures.read_picture("a.png")[0].isfinite().all()
            read += 1
    assert 10 < read < 300


@pytest.fixture
def keep(node_of, temp_folder):
    return lambda *inputs: node_of("CollageKeepPicture").execute(*inputs)


def test_a_picture_is_kept_under_the_hash_of_its_file(keep, pictures, folder):
    image, mask = torch.rand(1, 9, 7, 3), torch.rand(1, 9, 7)
    kept = keep(image, mask)
    (name,) = kept.args
    assert kept.ui == {"picture": [name]}
    data = (folder / name).read_bytes()
    assert name == f"collage/{hashlib.sha256(data).hexdigest()}.png"
    read, _ = pictures.read_picture(name)
    assert (read[..., :3] - image).abs().max() <= 0.5 / 255 + 1e-6
    assert (read[..., 3] - (1 - mask)).abs().max() <= 0.011  # 0.99 and above is opaque
    assert [keep(image, mask).args, [*folder.rglob("*.png")]] == [(name,), [folder / name]]


def test_a_kept_picture_replaces_nothing(keep, pack, folder):
    image = torch.rand(1, 9, 7, 3)
    (name,) = keep(image).args
    (folder / name).write_bytes(b"something else")
    with pytest.raises(
        pack.collage_core.errors.CollageError, match=r"^CollageKeepPicture: .*Delete that"
    ):
        keep(image)
    assert (folder / name).read_bytes() == b"something else"


def test_one_picture_is_kept_and_no_batch(keep, pack):
    with pytest.raises(pack.collage_core.errors.CollageError, match="2 pictures arrived"):
        keep(torch.rand(2, 9, 7, 3))
