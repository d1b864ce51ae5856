"""What the sample's shop sells, where, and what it writes about its customers: data only."""

# Name as the shop writes it; the purchase's number in the file chooses one.
PRODUCTS = (
    "柠檬洗洁精 1.5kg",
    "浓缩洗衣液 3L",
    "薰衣草柔顺剂 2L",
    "厨房重油污净 500g",
    "玻璃清洁剂 500ml",
    "地板清洁片 30片",
    "洁厕灵 750g",
    "84消毒液 5L",
    "衣物去渍笔",
    "超细纤维抹布 10条装",
    "平板拖把 替换布",
    "百洁布 12片装",
    "不锈钢钢丝球 6只",
    "一次性丁腈手套 100只",
    "垃圾袋 45x50 100只",
    "洗手液 500ml",
    "免洗消毒凝胶 60ml",
    "管道疏通剂 300g",
    "空调清洗剂 500ml",
    "洗衣机槽清洁粉 4包",
    "小苏打清洁粉 1kg",
    "柠檬酸除垢剂 500g",
    "皮革护理剂 250ml",
    "木地板精油 1L",
)
CHANNELS = ("微信小程序", "天猫旗舰店", "京东自营", "门店", "电话订购")
NOTES = (
    "周末送货，提前电话联系",
    "要求开具增值税专用发票",
    "对香精过敏，只要无香型",
    "家中有婴儿，偏好无磷产品",
    "放在物业前台代收",
    "老客户，可用九折",
    "每季度团购一次，找王阿姨",
    "曾投诉包装破损，已补发",
    "只收到付，不接受快递柜",
    "Please ring the bell twice; the gate is on the north side",
    "商铺地址，工作日九点以后送",
    "按月对账，月底结清",
)
# What must never stand in a note, and does in real files: the standard's example identity number, test cards.
SENSITIVE_NOTES = (
    "报关用身份证 11010519491231002X",
    "退款到卡 4111 1111 1111 1111",
    "孕期，医生建议避免含氯产品，病历已留存",
)
