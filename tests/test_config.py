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
        ({"max_body_loss": 0.0}, "it is a share of the body between 0 and 1"),
        ({"max_body_loss": float("nan")}, "it is a share of the body between 0 and 1"),
        ({"max_body_loss": 0.01, "min_score": 0.5}, "min_score and max_body_loss are given; each of them sets the"),
        ({"favor_precision": True, "favor_recall": True}, "favor_precision and favor_recall are given"),
        ({"favor_recall": True, "keep": list(Label)}, "favor_recall would change nothing: every label is kept"),
        ({"min_score": 0.5, "keep": list(Label)}, "min_score would change nothing: every label is kept"),
        ({"max_body_loss": 0.01, "keep": ["caption"]}, "is about the body, which is not kept; give min_score instead"),
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
