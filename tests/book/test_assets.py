"""The copied static files: what pages can ask for, and nothing twice."""

from scaling_book.assets import copy_assets


def test_scripts_are_copied_once(tmp_path):
    mathjax = copy_assets(tmp_path)
    vendor = tmp_path / "book" / "_static" / "vendor"
    assert mathjax == vendor / "mathjax"
    assert (mathjax / "tex-mml-chtml.js").is_file()
    assert [p.name for p in vendor.rglob("plotly*")] == ["plotly.min.js"]
    assert (vendor / "plotly.min.js").stat().st_size > 1e6
