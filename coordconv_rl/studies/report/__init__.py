"""What came out of a study: a table with ratios, the paper's pictures, one page.

- `results`: from the folders of a study to rows of a table.
- `ratios`: the baseline against CoordConv, in times.
- `measures`: the second table, of further measures.
- `pictures`: the canvas, and values against time.
- `box_pictures`: canvases with boxes drawn in.
- `image_pictures`: generated images, and where their objects are.
- `page`: one HTML page and one Markdown file.
- `terminal`: progress while it trains, and the closing tables.
"""

from coordconv_rl.studies.report.page import write_markdown, write_page
from coordconv_rl.studies.report.pictures import draw_all, pixels
from coordconv_rl.studies.report.ratios import ratios
from coordconv_rl.studies.report.results import collect
from coordconv_rl.studies.report.terminal import ProgressWatcher, show_end

__all__ = [
    "ProgressWatcher",
    "collect",
    "draw_all",
    "pixels",
    "ratios",
    "show_end",
    "write_markdown",
    "write_page",
]
