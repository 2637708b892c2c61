"""What an SMS asks for: ``12 ok``, ``ок``, ``mute sw3 2h``, or nothing the bridge may act on.

The grammar of answers. It reads only: whether the sender may, whether the code is his, and what follows is decided
in dispatch. It never guesses towards an act: a question, a refusal, two commands or a foreign text are not an ack.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bridge.words.vocabulary import Found, Verb, Vocabulary, built_in, fold

Kind = Literal["command", "which", "unknown", "words", "empty"]
TokenKind = Literal["number", "word", "question", "mark", "other"]

_THUMB = "\N{THUMBS UP SIGN}"
_ONE_TIME = re.compile(r"(?:^|\s)([0-9]{6,8})\s*$", re.ASCII)
_quoted = re.compile(r"^[ \t]*(?:>|-{4,}).*", re.MULTILINE | re.DOTALL)
_hidden = re.compile(
    r"[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe0e\ufe0f\ufeff\U0001f3fb-\U0001f3ff]"
).sub
_tokens = re.compile(r"[^\W\d_](?:\.[^\W\d_])+(?![^\W_])|[^\W_]+(?:['’`][^\W\d_]+)*|\S").finditer
_chunk = re.compile(r"\S+").match
_glued = re.compile(r"([0-9]*?)((?:0(?=[^\W\d_]))?[^\W\d_]+)([0-9]*)").fullmatch

_JOINERS = frozenset("and и й және мен пен".split())
_NEGATIONS = frozenset("not dont never не ни никто емес not".split())
_ALL = frozenset("all все всё всех барлығы бәрі барлыгы бари".split())
_UNITS = frozenset(
    "s sec m min mins minute minutes h hr hour hours d day days am pm с сек м мин минут минуты минуту ч час часа часов "
    "д дн день дня дней сағ сагат сағат күн процент".split()
)
_POLITE = frozenset(
    "thanks thank you thx ty please plz pls it sir спасибо спс пожалуйста пож рахмет рақмет мерси rahmet".split()
)
# Everyday words: as the first of a longer text they are that text, unless a code or a stop stands beside them.
_EVERYDAY = frozenset(
    "k yes yep mine got seen taking да есть мой моя вижу ага угу взял взяла понял поняла da иә ия иа ia iya алдым "
    "no cant next pass busy нет дальше занят занята net zanyat dalshe жоқ жок joq zhok келесі келеси kelesi "
    "назад nazad open info инфо loud тихо tiho tikho смена cover take вернуть".split()
)
_WITH_ARGUMENTS = frozenset[Verb](("take", "swap", "mute", "unmute", "note", "run"))
_WITH_REMARK = frozenset[Verb](("ok", "un", "esc", "close"))
_READ_ONLY = frozenset[Verb](("help", "list", "who", "status"))
_RIGHTS: dict[Verb, str] = {"ok": "ack", "un": "ack", "list": "status"}
_FEW_WORDS = 3
_MOST_ARGUMENTS = 6


@dataclass(frozen=True, slots=True)
class Command:
    """An SMS as the grammar reads it.

    *kind*: ``command`` (*verb* is set) · ``which`` (two readings, *choices*: ask back) · ``unknown`` (a command
    that is none: say so) · ``words`` (a text for the thread) · ``empty`` (nothing, or a quoted original only).
    """

    kind: Kind
    verb: Verb | None = None
    codes: tuple[str, ...] = ()  # ASCII digits, in the order they were typed
    rest: str = ""  # arguments, or the remark after an ack, as written
    everything: bool = False  # "ack all"
    asked: bool = False  # "ok?": a question is answered with status and changes nothing
    one_time_code: str = ""  # six to eight digits at the end
    choices: tuple[Verb, ...] = ()
    language: str = "en"  # in which spans of *rest* are read: "2с" is seconds or hours

    @property
    def right(self) -> str:
        """The verb that a person's ``commands`` must hold for it: ``ack``, ``ack all``, ``esc`` …; "" for none."""
        if self.verb is None:
            return ""
        right = _RIGHTS.get(self.verb, self.verb)
        return "ack all" if right == "ack" and self.everything else right


@dataclass(frozen=True, slots=True)
class _Token:
    kind: TokenKind
    text: str
    start: int
    end: int


def read_command(text: str, language: str, vocabulary: Vocabulary | None = None, *, code_length: int = 2) -> Command:
    """What *text*, an SMS of a person reading *language*, asks for. Never raises.

    *code_length*: digits of a code (``commands.codes``). Other lengths are read too, so that a wrong code can be
    answered; six to eight digits at the end are a one-time code.
    """
    reader = _Reader(vocabulary or built_in(), code_length)
    return replace(reader.read(_hidden("", _quoted.sub("", text)).strip()), language=language)


class _Reader:
    """One way through one text: codes, the verb, codes again, the rest."""

    def __init__(self, vocabulary: Vocabulary, code_length: int) -> None:
        self.vocabulary = vocabulary
        self.code_length = code_length

    def read(self, text: str) -> Command:
        body, one_time_code = self._one_time_code(text)
        command = self._read(body, self._tokens(body))
        if command.verb in ("note", None) and one_time_code:  # a note keeps its digits
            return self._read(text, self._tokens(text))
        return replace(command, one_time_code=one_time_code)

    def _one_time_code(self, text: str) -> tuple[str, str]:
        found = _ONE_TIME.search(text)
        if not found or not text[: found.start()].strip() or len(found[1]) == self.code_length:
            return text, ""
        return text[: found.start()].rstrip(), found[1]

    # -- words and numbers

    def _tokens(self, text: str) -> list[_Token]:
        tokens: list[_Token] = []
        for found in _tokens(text):
            if tokens and found.start() < tokens[-1].end:
                continue  # inside a word of the other layout, which may hold punctuation
            slip = self._slip_with_marks(text, found.start())
            if slip:
                tokens.append(_Token("word", slip, found.start(), found.start() + len(slip)))
            else:
                tokens.extend(self._parted(found[0], found.start()))
        return tokens

    def _slip_with_marks(self, text: str, start: int) -> str:
        """``,the`` is беру typed in the other layout; plain ones need no care."""
        if start and not text[start - 1].isspace():
            return ""
        found = _chunk(text, start)
        chunk = found[0] if found else ""
        for word in (chunk, chunk.rstrip("!?.)")):
            if not word.isalnum() and fold(word[:1]) + word[1:].casefold() in self.vocabulary.slips:
                return word.casefold()
        return ""

    def _parted(self, run: str, start: int) -> list[_Token]:
        """A run of letters and digits: a number, a word, or a code glued to a command."""
        end = start + len(run)
        if any(c.isnumeric() and not c.isascii() for c in run):
            return [_Token("other", run, start, end)]  # digits of other scripts are no digits here (T23)
        if run.isdigit():
            return [_Token("number" if self._is_code(run) else "other", run, start, end)]
        if run in ("?", "\N{FULLWIDTH QUESTION MARK}"):
            return [_Token("question", run, start, end)]
        if not run[0].isalnum():
            return [_Token("word" if run in ("+", _THUMB) else "mark", run, start, end)]
        glued = _glued(run)
        if glued and (glued[1] or glued[3]):
            return self._glued(run, start)
        return [_Token("word", run, start, end)]

    def _is_code(self, digits: str) -> bool:
        return len(digits) <= 5 or len(digits) == self.code_length

    def _glued(self, run: str, start: int) -> list[_Token]:
        """``12ok``, ``ok12``, ``120k``: parted only where the letters are a command; ``2h`` and ``sw3`` stay whole."""
        for cut in range(1, len(run)):
            head, tail = run[:cut], run[cut:]
            digits, word = (head, tail) if head.isdigit() else (tail, head)
            zero = word[0] == "0" and len(digits) != self.code_length
            if digits.isdigit() and self._is_code(digits) and not zero and self.vocabulary.exact(word):
                kinds: tuple[TokenKind, TokenKind] = ("number", "word") if head.isdigit() else ("word", "number")
                middle = start + cut
                return [_Token(kinds[0], head, start, middle), _Token(kinds[1], tail, middle, start + len(run))]
        return [_Token("other", run, start, start + len(run))]

    # -- grammar

    def _read(self, text: str, tokens: Sequence[_Token]) -> Command:
        codes, place = self._codes(tokens, 0)
        while place < len(tokens) and tokens[place].kind == "mark":
            place += 1
        if place == len(tokens):
            return Command("command", "status", codes) if codes else Command("empty")
        head = tokens[place]
        if head.kind == "question":
            verb: Verb = "status" if codes else "help"
            return Command("command", verb, codes, asked=bool(codes)) if _only_marks(tokens, place) else _words(codes)
        found, after = self._verb(tokens, place)
        if found.sure:
            return self._after_verb(text, tokens, found, codes, place, after)
        if found.ask_back:
            return Command("which", codes=codes, choices=found.verbs)
        return self._not_understood(tokens, codes, near=bool(found.verbs))

    def _codes(self, tokens: Sequence[_Token], place: int) -> tuple[tuple[str, ...], int]:
        """The codes that stand from *place* on, and where they end."""
        codes: list[str] = []
        end = place
        for i in range(place, len(tokens)):
            token = tokens[i]
            if token.kind == "number" and not _has_unit(tokens, i):
                codes.append(token.text)
                end = i + 1
            elif not (token.kind == "mark" or (codes and fold(token.text) in _JOINERS)):
                break
        return tuple(codes), end

    def _verb(self, tokens: Sequence[_Token], place: int) -> tuple[Found, int]:
        """What stands at *place*, and where it ends."""
        word = tokens[place].text
        if tokens[place].kind != "word":
            return Found(), place
        joined = self._joined(tokens, place)
        if joined:
            return Found((joined,), sure=True), place + 2
        return Found(("ok",), sure=True) if word == _THUMB else self.vocabulary.find(word), place + 1

    def _joined(self, tokens: Sequence[_Token], place: int) -> Verb | None:
        """The command written as two words: ``не могу``, ``on call``."""
        if place + 1 >= len(tokens) or tokens[place + 1].kind != "word":
            return None
        return self.vocabulary.forms.get(fold(tokens[place].text + tokens[place + 1].text))

    def _after_verb(
        self, text: str, tokens: Sequence[_Token], found: Found, codes: tuple[str, ...], place: int, after: int
    ) -> Command:
        verb = found.verbs[0]
        asked = _asks(tokens, after)
        after += asked
        if verb != "run":
            more, after = self._codes(tokens, after)
            codes += more
        asked = asked or _asks(tokens, after)
        everything = after < len(tokens) and verb not in ("note", "run") and fold(tokens[after].text) in _ALL
        after, other = self._again(tokens, verb, after + everything)
        if not codes and verb in _WITH_REMARK:
            codes, after = self._codes(tokens, after)
        if other:
            return Command("which", codes=codes, choices=(verb, other))
        rest = tokens[after:]
        words = [token for token in rest if token.kind in ("word", "number", "other")]
        remark = text[rest[0].start :].lstrip(" \t\n,.:;!-)") if words else ""
        command = Command("command", verb, tuple(dict.fromkeys(codes)), remark, everything)
        if asked and not words:
            return command if verb in _READ_ONLY else replace(command, verb="status", asked=True)
        paused = bool(rest) and rest[0].kind == "mark"
        if not _may_stand(command, tokens[place], words, paused=paused, typo=found.typo):
            return self._not_understood(tokens, codes)
        return Command("which", codes=codes, choices=("ok", "stop")) if verb == "stop" and codes else command

    def _again(self, tokens: Sequence[_Token], verb: Verb, after: int) -> tuple[int, Verb | None]:
        """Behind the same verb said twice (``ок принял``); the other verb where two stand side by side."""
        if verb not in _WITH_REMARK and verb not in _READ_ONLY - {"status"}:
            return after, None
        for i in range(after, len(tokens)):
            token = tokens[i]
            if token.kind == "mark" or token.text == _THUMB or fold(token.text) in _POLITE:
                continue
            if token.kind != "word":
                break
            said = self._joined(tokens, i) or self.vocabulary.exact(token.text)
            if fold(token.text) in _NEGATIONS and not said:
                return after, "esc" if verb == "ok" else "ok"
            if said != verb:
                return after, said
            after = i + 1 + bool(self._joined(tokens, i))
        return after, None

    def _not_understood(self, tokens: Sequence[_Token], codes: tuple[str, ...], *, near: bool = False) -> Command:
        words = [token for token in tokens if token.kind in ("word", "other")]
        if not words and not codes:
            return Command("empty")
        few = words[: _FEW_WORDS + 1]
        near = near or any(token.kind == "word" and self.vocabulary.exact(token.text) for token in few)
        return Command("unknown" if codes or (near and len(few) <= _FEW_WORDS) else "words", codes=codes)


def _may_stand(command: Command, head: _Token, words: Sequence[_Token], *, paused: bool, typo: bool) -> bool:
    """Whether *words* may follow the verb *head*; else it is only a word of a text. *paused*: a mark parts them."""
    verb, few = command.verb, len(words)
    if verb == "stop":
        return not words  # alone only: it is an outage
    if all(token.text == _THUMB or fold(token.text) in _POLITE for token in words):
        return True
    if len(head.text) == 1 and head.text not in ("+", _THUMB):
        return False  # "k 12 i come" is no ack of 12
    if verb in _WITH_ARGUMENTS:
        return few <= _MOST_ARGUMENTS or verb in ("note", "run")
    if verb in _WITH_REMARK:
        return bool(command.codes) or paused or not (typo or fold(head.text) in _EVERYDAY)
    return few <= _FEW_WORDS and not typo and verb in ("status", "who", "list")


def _has_unit(tokens: Sequence[_Token], place: int) -> bool:
    """Whether the number is a time or a measure: ``15 мин``, ``8:00``, ``50%``."""
    if place + 1 >= len(tokens):
        return False
    following = tokens[place + 1]
    if following.kind == "word":
        return fold(following.text) in _UNITS
    clock = following.text == ":" and place + 2 < len(tokens) and tokens[place + 2].kind == "number"
    return following.text == "%" or (clock and following.end == tokens[place + 2].start)


def _asks(tokens: Sequence[_Token], place: int) -> bool:
    return place < len(tokens) and tokens[place].kind == "question"


def _only_marks(tokens: Sequence[_Token], place: int) -> bool:
    return all(token.kind in ("mark", "question") for token in tokens[place:])


def _words(codes: tuple[str, ...]) -> Command:
    return Command("unknown" if codes else "words", codes=codes)
