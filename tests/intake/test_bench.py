"""The figures of the forms: of a form as large as is promised."""

from intake import bench


def test_the_large_form_is_as_large_as_promised_and_every_figure_has_an_aim() -> None:
    found = {name: (value, aim) for name, value, _unit, aim in bench.forms()}
    assert found["form_items"][0] >= 800
    assert found["form_size"][0] >= 1
    assert all(value > 0 and aim for value, aim in found.values())
