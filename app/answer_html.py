"""Answers as HTML; all that comes from visitors, models and files is escaped."""

from html import escape

from app import certainty, intake, limits
from app.answers import Answer, data_url, enlarged
from app.catalog import Reliability
from app.texts import Language, Texts, percent, probability, whole

BARS = 5

STYLE = """<style>
.imago { display: grid; grid-template-columns: minmax(110px, 180px) minmax(0, 1fr);
  grid-template-areas: "picture said" "picture more"; grid-template-rows: auto 1fr;
  gap: 0.9rem 1.25rem; padding: 1rem; margin: 0;
  border: 1px solid rgba(128, 128, 128, 0.35); border-radius: 0.75rem; }
.imago.alone { display: block; }
.imago figure { margin: 0; grid-area: picture; }
.imago .said { grid-area: said; min-width: 0; }
.imago .more { grid-area: more; display: flex; flex-wrap: wrap; gap: 1rem; }
.imago .more:empty { display: none; }
.imago .more figure { flex: 0 1 150px; }
.imago img { display: block; width: 100%; max-height: 300px; object-fit: contain;
  border-radius: 0.5rem; background: rgba(128, 128, 128, 0.12); }
.imago img.pixels { image-rendering: pixelated; }
.imago figcaption { font-size: 0.8rem; opacity: 0.75; margin-top: 0.35rem;
  overflow-wrap: anywhere; }
.imago h3 { margin: 0; padding: 0; font-size: 1.6rem; line-height: 1.2; font-weight: 650;
  overflow-wrap: anywhere; }
.imago p { margin: 0.4rem 0 0; }
.imago .small { font-size: 0.85rem; opacity: 0.8; }
.imago ul { list-style: none; margin: 0.9rem 0 0; padding: 0; display: grid; gap: 0.4rem 0.8rem;
  grid-template-columns: fit-content(10rem) minmax(3rem, 1fr) auto; align-items: center;
  font-size: 0.92rem; }
.imago li { display: contents; }
.imago li .label { overflow-wrap: anywhere; }
.imago .track { height: 0.7rem; border-radius: 0.35rem; background: rgba(128, 128, 128, 0.22);
  overflow: hidden; }
.imago .bar { display: block; height: 100%; border-radius: 0.35rem; background: #2a78d6; }
.imago li:not(:first-child) .bar { background: #8aa4c4; }
.imago .share { text-align: right; font-variant-numeric: tabular-nums; }
.imago.refused { border-left: 0.35rem solid #c7791b; }
.imago .wait { min-height: 6rem; display: flex; align-items: center; opacity: 0.7; }
.imago-card { overflow-x: auto; }
.imago-card h4 { font-size: 1rem; padding: 0; margin: 1rem 0 0.35rem; }
.imago-card table { border-collapse: collapse; font-size: 0.9rem; }
.imago-card :is(td, th) { border: 0; border-bottom: 1px solid rgba(128, 128, 128, 0.25);
  padding: 0.25rem 1rem 0.25rem 0; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
.imago-card th { white-space: nowrap; }
@media (max-width: 640px) { /* the answer first, where one has to scroll */
  .imago { padding: 0.75rem; grid-template-columns: 1fr;
    grid-template-areas: "said" "picture" "more"; }
}
</style>"""


def answer(
    found: Answer,
    texts: Texts,
    language: Language,
    reliability: Reliability | None,
    looked_at: str | None = None,
) -> str:
    """Show an answer.

    Args:
        found: The answer.
        texts: The words.
        language: Of the numbers.
        reliability: What such a probability was worth on test images; None where it is unknown.
        looked_at: A data URL of what counted, if it is to be shown.
    """
    said = found.prediction
    name, share = texts.name(said.label), probability(said.probability, language)
    sure = certainty.of(said)
    ranked = said.top(len(said.probabilities))
    second = texts.name(ranked[1][0]) if len(ranked) > 1 else ""
    head = texts.answer.format(label=name, probability=share)
    if said.unsure is None:
        words = texts.certainty[sure].format(second=second)
    else:
        words, head = texts.unsure[said.unsure].format(answer=head), texts.unknown
    lines = [f"<h3>{escape(head)}</h3>", f"<p>{escape(words)}</p>"]
    if found.label is not None:
        verdict = texts.right if found.label == said.label else texts.wrong
        truth = texts.in_the_data.format(label=texts.name(found.label))
        lines.append(f"<p>{escape(truth)} {escape(verdict)}</p>")
    lines.append(_bars(ranked, texts, language))
    if reliability is not None:
        right = percent(reliability.accuracy, language)
        count = whole(reliability.examples, language)
        said_so = texts.reliability.format(share=right, count=count)
        lines.append(f'<p class="small">{escape(said_so)}</p>')
    height, width = found.seen.shape[:2]
    picture = _figure(found.thumbnail, found.name, found.name)
    sees = texts.sees.format(width=width, height=height)
    is_new = found.label is None  # examples are as the model sees them
    seen = _figure(data_url(enlarged(found.seen), "png"), sees, sees, "pixels") if is_new else ""
    looked = _figure(looked_at, texts.looks, texts.looks, "pixels") if looked_at else ""
    return (
        f'<article class="imago" aria-label="{escape(found.name)}">{picture}<div class="said">'
        f'{"".join(lines)}</div><div class="more">{seen}{looked}</div></article>'
    )


def refusal(found: intake.Rejected, texts: Texts) -> str:
    """Say that a file could not be used, and why."""
    why = texts.faults[found.fault].format(
        megabytes=limits.IMAGE_BYTES // 2**20, megapixels=limits.PIXELS // 1_000_000
    )
    return (
        '<article class="imago alone refused" role="alert"><div class="said">'
        f"<p><strong>{escape(texts.faults_title)}: {escape(found.name)}</strong></p>"
        f'<p>{escape(why)}</p><p class="small" lang="en">{escape(found.reason)}</p>'
        "</div></article>"
    )


def waiting(texts: Texts) -> str:
    """Keep the place of an answer."""
    return f'<div class="imago alone"><div class="wait">{escape(texts.waiting)}</div></div>'


def _bars(ranked: list[tuple[str, float]], texts: Texts, language: Language) -> str:
    rows = [(texts.name(label), share) for label, share in ranked[:BARS]]
    if rest := ranked[BARS:]:
        rows.append((texts.others.format(count=len(rest)), sum(share for _, share in rest)))
    return "<ul>" + "".join(_bar(*row, language) for row in rows) + "</ul>"


def _bar(name: str, share: float, language: Language) -> str:
    return (
        f'<li><span class="label">{escape(name)}</span><span class="track">'
        f'<span class="bar" style="width:{share:.2%}"></span></span>'
        f'<span class="share">{probability(share, language)}</span></li>'
    )


def _figure(url: str, caption: str, alternative: str, kind: str = "") -> str:
    return (
        f'<figure><img class="{kind}" src="{url}" alt="{escape(alternative)}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )
