"""A photo such as patients send: spots on skin, drawn, so that nobody's arm is in it."""

from __future__ import annotations

from io import BytesIO
from random import Random

from PIL import Image, ImageDraw, ImageFilter

from intake.attachments.cleaning import Clean

SIZE, SMALL = (960, 720), (320, 240)


def spots(random: Random) -> Clean:
    """A picture as the portal would keep it, another for every state of `random`."""
    skin = Image.linear_gradient("L").rotate(random.choice((20, 160, 200))).resize(SIZE)
    picture = Image.composite(
        Image.new("RGB", SIZE, (226, 182, 152)), Image.new("RGB", SIZE, (196, 146, 116)), skin
    )
    draw = ImageDraw.Draw(picture)
    for _each in range(random.randint(7, 14)):
        x, y, wide = random.gauss(480, 150), random.gauss(360, 110), random.uniform(8, 26)
        red = (random.randint(176, 204), random.randint(88, 112), random.randint(84, 100))
        draw.ellipse((x - wide, y - wide * 0.8, x + wide, y + wide * 0.8), fill=red)
    picture = picture.filter(ImageFilter.GaussianBlur(5))
    return Clean("photo.jpg", "image/jpeg", _written(picture), _written(picture.resize(SMALL)))


def _written(picture: Image.Image) -> bytes:
    into = BytesIO()
    picture.save(into, "JPEG", quality=80)
    return into.getvalue()
