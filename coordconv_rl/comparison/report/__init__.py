"""What came out of a comparison: a page that opens offline, Markdown, CSV and figures.

Names are imported when first used, since drawing needs matplotlib.

- `write`: an experiment's folder to its report.
- `page`: the whole report as one structure, which `page.html.j2` and `as_markdown` show.
- `verdict`: the answer in sentences, for each pair of arms.
- `floor`: where agents play as at random, and what small differences do not say there.
- `cautions`: what to be wary of.
- `plan_changes`: which pairs and margins are others than those first asked for.
- `methods`: how it was made: protocol, versions, machines, the command to repeat it.
- `tables`: tables as data, and how numbers and intervals are written.
- `score_tables`: scores by game, aggregates, pairs of arms.
- `run_tables`: which runs are done, which failed, how fast they were.
- `inspections`: what happens to the score without coordinates, as data and tables.
- `looks`: an arm's colour and line in every figure.
- `use_tables`: how far scores fall without coordinates, by arm and between heads.
- `charts`: draws on axes that it is given.
- `figures`: which charts there are, with their captions and words for those who do not see them.
- `svg`: a figure as PNG and SVG files, and as an element that takes on the page's colours.
- `as_markdown`: the report as Markdown.
- `as_csv`: the numbers as CSV.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
