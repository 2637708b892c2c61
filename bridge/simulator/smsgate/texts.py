"""The texts of errors: the cascade page lists none, so those of the provider's older API (smsgate-cascade.md §8)."""

from __future__ import annotations

from bridge.errors import BridgeError

FORMAT = "Неправильный формат {} документа"
PASSWORD = "Неправильный логин или пароль"  # noqa: S105 - a sentence
BLOCKED = "Ваш аккаунт заблокирован"
EMPTY = "POST данные отсутствуют"
IDENTICAL = "Попытка отправки более одного одинакового запроса в течение минуты"
NO_PHONE = "Укажите номер телефона."
STOP_LIST = "Номер телефона присутствует в стоп-листе."
CLOSED = "Данное направление закрыто."
NO_MONEY = (
    "Недостаточно средств для отправки SMS. SMS будет отправлена как только вы пополните счет по данному направлению."
)
MODERATOR = "Текст SMS отклонен модератором."
NO_SENDER = "Нет отправителя."
LONG_SENDER = "Отправитель не должен превышать 15 символов для цифровых номеров и 11 символов для буквенно-числовых."
LONG_NUMBER = "Номер телефона должен быть меньше 15 символов."
NO_TEXT = "Нет текста сообщения."
NO_LINK = "Нет ссылки."
UNKNOWN_SENDER = "Такого отправителя Нет."
SENT_BEFORE = "Данное сообщение уже было отправлено."
LONG_TEXT = "Текст сообщения не должен превышать 1000 символов."
LONG_BUTTON = "Текст кнопки не должен превышать 19 символов."
ORDER = "Неправильный порядок отправки."
CLIENT_ID = "client_id_message должен быть числом."

WHOLE = {1: FORMAT.format("XML"), 2: PASSWORD, 4: BLOCKED, 9: IDENTICAL}
"""What ``refuse: n`` of a fault says about a whole request …"""

ITEM = {3: NO_MONEY, 5: CLOSED, 6: MODERATOR, 7: LONG_NUMBER, 8: STOP_LIST}
"""… and about one phone; the numbers are those of the other gateway."""


class Refused(BridgeError):
    """The whole request is answered with an error, or (raised for one phone or message) that part of it."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
