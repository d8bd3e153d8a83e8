"""The colours of the shop and of the pay pages can be read in both schemes, by WCAG 2.2."""

import re

import pytest

from deploy.local.sandbox import pay_page
from deploy.local.shop.site import ASSETS

AA = 4.5
SHOP = (ASSETS / "shop.css").read_text()
PAY = pay_page.STYLE


def colors(style, scheme):
    """Give the colours by name; the first block is of light, and the second changes it."""
    light, dark = re.findall(r":root \{([^}]*)\}", style)
    found = dict(re.findall(r"--(\w+): (#\w+)", light))
    return found | dict(re.findall(r"--(\w+): (#\w+)", dark)) if scheme == "dark" else found


def luminance(color):
    digits = color.removeprefix("#")
    digits = "".join(2 * one for one in digits) if len(digits) == 3 else digits
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
class TestContrast:
    @pytest.mark.parametrize("ground", ["ground", "paper"])
    @pytest.mark.parametrize("ink", ["ink", "soft", "accent", "wrong"])
    def test_the_shops_text(self, scheme, ink, ground):
        found = colors(SHOP, scheme)
        assert contrast(found[ink], found[ground]) >= AA

    def test_its_buttons(self, scheme):
        assert contrast("#fff", colors(SHOP, scheme)["button"]) >= AA

    @pytest.mark.parametrize("ink", ["ink", "soft"])
    def test_the_text_of_a_pay_page(self, scheme, ink):
        found = colors(PAY, scheme)
        assert contrast(found[ink], found["paper"]) >= AA

    @pytest.mark.parametrize("provider", pay_page.COLORS)
    def test_its_button(self, scheme, provider):
        assert contrast("#fff", pay_page.COLORS[provider]) >= AA
