"""Names that people give to columns, Chinese and English, as data. Matched after `simplified`."""

import re

from customers.fields import BASIC, HABITS, PURCHASES

# What a file may say besides the record: whether the customer agreed, and when.
CONSENT = ("consent", "consent_on")
FIELDS = (*BASIC, *PURCHASES, *HABITS, *CONSENT)

SYNONYMS: dict[str, tuple[str, ...]] = {
    "number": (
        "客户编号", "会员号", "会员编号", "会员卡号", "客户号", "客户代码", "客户id", "会员id", "编号", "卡号",
        "顾客编号",
        "number", "customer number", "customer no", "customer id", "customer code", "client id", "client number",
        "member id", "member no", "member number", "membership number", "id", "no",
    ),
    "name": (
        "姓名", "客户姓名", "会员姓名", "名字", "客户名称", "客户", "顾客姓名", "收货人", "收件人", "联系人", "称呼",
        "name", "full name", "customer name", "customer", "client name", "contact name", "contact", "recipient",
    ),
    "phone": (
        "手机", "电话", "联系电话", "手机号", "手机号码", "电话号码", "联系方式", "移动电话", "联系手机", "收货电话",
        "phone", "phone number", "mobile", "mobile number", "mobile phone", "telephone", "tel", "cell", "cell phone",
    ),
    "email": (
        "邮箱", "电子邮件", "电子邮箱", "邮件", "邮箱地址", "邮件地址",
        "email", "email address", "mail", "mail address",
    ),
    "address": (
        "地址", "收货地址", "联系地址", "住址", "家庭地址", "客户地址", "详细地址", "收件地址", "送货地址",
        "address", "street address", "postal address", "delivery address", "shipping address", "home address",
    ),
    "note": (
        "备注", "说明", "客户备注", "附注", "其他", "其它",
        "note", "notes", "remark", "remarks", "comment", "comments", "memo",
    ),
    "time": (
        "购买时间", "下单时间", "日期", "下单日期", "购买日期", "订单时间", "订单日期", "成交时间", "交易时间", "时间",
        "付款时间", "消费时间", "消费日期",
        "time", "date", "purchase time", "purchase date", "purchased at", "order time", "order date",
        "date of purchase",
    ),
    "product": (
        "商品", "产品", "品名", "商品名称", "产品名称", "货品", "购买商品", "购买产品", "宝贝标题",
        "product", "product name", "item", "item name", "goods", "article", "description",
    ),
    "quantity": (
        "数量", "件数", "购买数量", "商品数量", "quantity", "qty", "units", "count", "number of items", "pieces",
    ),
    "amount": (
        "金额", "总价", "订单金额", "实付金额", "消费金额", "付款金额", "价格", "合计", "总金额", "实付",
        "amount", "total", "total price", "price", "order amount", "value", "paid", "sum",
    ),
    "currency": ("币种", "货币", "货币单位", "currency", "currency code"),
    "channel": (
        "渠道", "购买渠道", "销售渠道", "来源渠道", "平台", "channel", "sales channel", "purchase channel", "platform",
    ),
    "frequency": (
        "消费频率", "购买频率", "频率", "复购周期", "购买周期", "补货周期",
        "frequency", "purchase frequency", "buying frequency", "refill interval",
    ),
    "preferred_products": (
        "偏好产品", "偏好商品", "喜好产品", "常购产品", "常购商品", "常买商品",
        "preferred products", "preferred product", "favorite products", "favourite products", "usual products",
    ),
    "preferences": (
        "偏好", "客户偏好", "喜好", "消费偏好", "购买偏好", "习惯", "消费习惯",
        "preferences", "preference", "habits", "likes",
    ),
    "consent": (
        "同意", "是否同意", "授权", "是否授权", "营销同意", "隐私同意", "接受营销",
        "consent", "consents", "consented", "agreed", "marketing consent", "opt in", "accepts marketing",
    ),
    "consent_on": (
        "同意日期", "同意时间", "授权日期", "授权时间",
        "consent date", "consent time", "consented on", "date of consent", "agreed on", "opt in date",
    ),
}  # fmt: skip

# Columns that must be left out: identity documents have no field in a book.
IDENTITY = re.compile(
    r"身份证|证件号|护照|社保号|identity\s*(card|number|no)|passport|national\s*id|social\s*security|\bssn\b", re.I
)

_NOISE = re.compile(r"[\s_\-—:：*＊#.．/／]+")
_BRACKETS = re.compile(r"[（(【\[].*?[）)】\]]")


def simplified(header: str) -> str:
    """A header in the form it is matched in: no case, no brackets with units, single spaces between words."""
    return _NOISE.sub(" ", _BRACKETS.sub(" ", header).lower().replace("e-mail", "email")).strip()


_FIELD_OF = {simplified(name): field for field, names in SYNONYMS.items() for name in names}


def field_of(header: str) -> str:
    """The field a header means, or "" when it is not known."""
    plain = simplified(header)
    return _FIELD_OF.get(plain) or _FIELD_OF.get(plain.replace(" ", ""), "")


def is_identity(header: str) -> bool:
    """Whether the header announces identity numbers."""
    return bool(IDENTITY.search(header))


def propose(headers: list[str]) -> list[str]:
    """One field or "" for each header; the first column that claims a field gets it."""
    taken: set[str] = set()
    fields = []
    for header in headers:
        field = field_of(header)
        fields.append("" if field in taken or is_identity(header) else field)
        taken.add(field)
    return fields
