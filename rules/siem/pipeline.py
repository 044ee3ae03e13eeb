"""Pipelines for pySigma: what a rule on zonewatch's records is called elsewhere.

`zonewatch` is for records as they are indexed from here (`index`): the fields keep their names, and the category is in
`event.dataset`. `zonewatch_icsnpp` is for the logs of Zeek with the ICSNPP parsers, as Malcolm indexes them: rules on
functions of control protocols are turned into what those logs hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sigma.correlations import SigmaCorrelationRule
from sigma.processing.conditions import LogsourceCondition
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline, QueryPostprocessingItem
from sigma.processing.postprocessing import QueryPostprocessingTransformation
from sigma.processing.transformations import (
    AddConditionTransformation,
    SetStateTransformation,
)
from sigma.rule import SigmaRule

from zonewatch.rules.siem.icsnpp import TranslationToIcsnpp
from zonewatch.rules.sigma.taxonomy import CATEGORIES, PRODUCT

__all__ = ["DATASET", "INDEX", "zonewatch", "zonewatch_icsnpp"]

DATASET: Final = "event.dataset"
INDEX: Final = "logs-zonewatch.*"
"""The data streams that hold the records: `logs-zonewatch.ot_operation-default` and its like."""
MALCOLM: Final = "arkime_sessions3-*"


def zonewatch() -> ProcessingPipeline:
    """Records of zonewatch under their own names."""
    return ProcessingPipeline(
        name="zonewatch records (ECS)",
        priority=20,
        items=[*_datasets(), *_index(INDEX)],
        postprocessing_items=[QueryPostprocessingItem(transformation=MendedEql())],
    )


def _datasets() -> Iterator[ProcessingItem]:
    for category in CATEGORIES:
        yield ProcessingItem(
            identifier=f"zonewatch_{category}",
            transformation=AddConditionTransformation(conditions={DATASET: f"{PRODUCT}.{category}"}),
            rule_conditions=[LogsourceCondition(product=PRODUCT, category=category)],
        )


_EQL: Final = re.compile("any where |sequence |sample ")
_PAST_EQL: Final = re.compile(
    r'"(?:[^"\\]|\\.)*"'
    r"|(?P<equal>:(?=(?:true|false|-?\d+(?:\.\d+)?)(?:[\s)\]]|$)))"
    r"|(?P<among> like~ (?=\((?:-?\d+(?:\.\d+)?(?:, )?)+\)))"
    r"|(?P<runs> by +with runs=\d+\s*$)"
)
_IN_EQL: Final = {"equal": " == ", "among": " in ", "runs": ""}


@dataclass
class MendedEql(QueryPostprocessingTransformation):
    """What the EQL backend writes past EQL's grammar: `:` and `like~` for what is no string, and a count behind a
    sequence. Queries of other backends stay as they are."""

    def apply(self, rule: SigmaRule | SigmaCorrelationRule, query: Any) -> Any:
        """The query, or the form of a SIEM that holds it, mended."""
        super().apply(rule, query)
        if isinstance(query, dict) and isinstance(query.get("query"), str):
            return {**query, "query": eql(query["query"])}
        return eql(query) if isinstance(query, str) else query


def eql(query: str) -> str:
    """A query by EQL's grammar; one that is not EQL unchanged."""
    if not _EQL.match(query):
        return query
    return _PAST_EQL.sub(lambda found: _IN_EQL[found.lastgroup] if found.lastgroup else found[0], query)


def _index(pattern: str) -> Iterator[ProcessingItem]:
    """Backends that write the index into the query read it here."""
    yield ProcessingItem(
        identifier="zonewatch_index",
        transformation=SetStateTransformation("index", pattern),
        rule_conditions=[LogsourceCondition(product=PRODUCT)],
    )


def zonewatch_icsnpp() -> ProcessingPipeline:
    """Zeek's and ICSNPP's logs as Malcolm indexes them."""
    return ProcessingPipeline(
        name="zonewatch rules on Zeek and ICSNPP logs (Malcolm)",
        priority=20,
        postprocessing_items=[QueryPostprocessingItem(transformation=MendedEql())],
        items=[
            ProcessingItem(identifier="zonewatch_icsnpp", transformation=TranslationToIcsnpp()),
            ProcessingItem(
                identifier="zonewatch_icsnpp_index", transformation=SetStateTransformation("index", MALCOLM)
            ),
        ],
    )
