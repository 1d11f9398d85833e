from __future__ import annotations

import pickle

import pytest

from cleaner import Config, ConfigError, Label


def test_the_default_keeps_body_and_title() -> None:
    assert Config().keep == {Label.BODY, Label.TITLE}


def test_labels_may_be_names() -> None:
    assert Config(keep=["body", Label.CAPTION]).keep == {Label.BODY, Label.CAPTION}
    assert Config(drop=["title"]).keep == {Label.BODY}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"keep": ["boddy"]}, "'boddy' is not a valid Label in keep; the labels are body, title"),
        ({"keep": "body"}, "give a list of labels"),
        ({"keep": []}, "keep is empty"),
        ({"drop": ["advert"]}, "dropping advert would change nothing: by default only body and title are kept"),
        ({"drop": ["body", "title"]}, "nothing would be kept"),
        ({"keep": ["body"], "drop": ["title"]}, "name either what to keep or what to drop"),
        ({"min_score": 1.5}, "must lie between 0 and 1"),
        ({"min_score": float("nan")}, "must lie between 0 and 1"),
    ],
)
def test_what_cannot_be_honoured_is_refused(arguments: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match="^.*" + says):
        Config(**arguments)  # type: ignore[arg-type]


def test_a_config_is_a_value() -> None:
    config = Config(keep=["body"], min_score=0.5)
    assert config == Config(keep=[Label.BODY], min_score=0.5)
    assert pickle.loads(pickle.dumps(config)) == config
    assert hash(config) == hash(Config(keep=["body"], min_score=0.5))
    with pytest.raises(AttributeError):
        config.min_score = 0.1  # type: ignore[misc]
