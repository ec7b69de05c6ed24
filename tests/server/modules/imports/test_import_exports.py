"""Exports in the shapes that are public: invoices with reversals, a marketplace, Odoo, any table at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.imports import Result, import_files
from sync.contract.orders import HoldReason
from sync.contract.stages import Stage

RETAIL = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
SERVICES = [
    "POST",
    "D",
    "M",
    "m",
    "DOT",
    "BANK CHARGES",
    "AMAZONFEE",
    "C2",
    "CRUK",
    "S",
    "gift_0001_20",
    "PADS",
]


def import_table(folder: Path, text: str, name: str = "table.csv", **more: Any) -> Result:  # noqa: ANN401
    """Import a table with the mappings that ship; every row is accounted for."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    made = import_files(path, **more)
    report = made.report
    assert report.rows == report.lines + report.merged + len(report.refused) + report.waiting_lines
    return made


def invoice(ref: str, sku: str, count: str, *, date: str = "12/13/2010 8:26", customer: str = "17850") -> str:
    """Return a row of an invoice."""
    return f"{ref},{sku},WHITE HOLDER,{count},{date},2.55,{customer},United Kingdom\n"


def test_invoices_are_read(tmp_path: Path) -> None:
    """Letters in codes stay, dates are month first because one of them must be, a customer may be missing."""
    rows = invoice("536365", "85123A", "6", date="12/1/2010 8:26") + invoice(
        "536366", "71053", "6", customer=""
    )
    made = import_table(tmp_path, RETAIL + rows + invoice("536366", "22752", "2", customer=""))
    assert made.refused == []
    assert [order.source for order in made.orders] == ["online-retail"] * 2
    assert [(order.number, order.customer, len(order.lines)) for order in made.orders] == [
        ("536365", "17850", 1),
        ("536366", "", 2),
    ]
    assert made.orders[0].placed_ms == 1_291_191_960_000
    assert made.orders[0].ship_to.country == "United Kingdom"


def test_reversals_are_refused_with_their_reason(tmp_path: Path) -> None:
    """An invoice that takes another one back is no order, not even one with nothing on it."""
    rows = invoice("536365", "85123A", "6") + invoice("C536379", "D", "-1") + invoice("C536379", "22752", "1")
    made = import_table(tmp_path, RETAIL + rows + invoice("536368", "22752", "-12"))
    assert [order.external_ref for order in made.orders] == ["536365"]
    assert made.refused == [
        (3, "order C536379 takes another one back: nothing to pick"),
        (4, "order C536379 takes another one back: nothing to pick"),
        (5, "quantity -12 is not pickable"),
    ]


def test_corrections_of_the_stock_are_refused(tmp_path: Path) -> None:
    """Nobody ordered what has no price and no customer; a present for a customer is picked."""
    rows = invoice("1", "22139", "56", customer="") + invoice("2", "22139", "56")
    made = import_table(tmp_path, (RETAIL + rows).replace("2.55", "0.0"))
    assert made.refused == [(2, "price 0.0 and no customer: a correction of the stock")]
    assert [order.number for order in made.orders] == ["2"]


@pytest.mark.parametrize("code", SERVICES)
def test_service_codes_stay_visible_and_nobody_picks_them(tmp_path: Path, code: str) -> None:
    """Postage, fees and vouchers are lines of the order that need no picking."""
    made = import_table(tmp_path, RETAIL + invoice("1", code, "1") + invoice("1", "DOTS", "2"))
    assert [line.requires_picking for line in made.orders[0].lines] == [False, True]


def test_more_service_codes_can_be_named(tmp_path: Path) -> None:
    """The list of the mapping is extended, a star stands for any end, and case does not matter."""
    codes = frozenset({"Carriage", "FEE-*"})
    rows = "".join(invoice("1", code, "1") for code in ("CARRIAGE", "fee-7", "FEE", "POST"))
    made = import_table(tmp_path, RETAIL + rows, service_skus=codes)
    assert [line.requires_picking for line in made.orders[0].lines] == [False, False, True, False]


def test_a_marketplace_in_two_files(tmp_path: Path) -> None:
    """One row is one piece; what the marketplace says of the state counts."""
    heads, items = tmp_path / "orders.csv", tmp_path / "items.csv"
    heads.write_text(
        '"order_id","customer_id","order_status","order_purchase_timestamp","order_delivered_carrier_date"\n'
        '"e48","c1","delivered","2017-10-02 10:56:33","2017-10-04 19:55:00"\n'
        '"53c","c2","processing","2018-07-24 20:41:37",""\n'
        '"47a","c3","canceled","2018-08-08 08:38:49",""\n',
        encoding="utf-8",
    )
    items.write_text(
        '"order_id","order_item_id","product_id","seller_id","shipping_limit_date","price"\n'
        '"e48","1","p1","s","2017-10-06 11:07:15",29.99\n"e48","2","p1","s","2017-10-06 11:07:15",29.99\n'
        '"53c","1","p2","s","2018-07-30 03:24:27",118.70\n',
        encoding="utf-8",
    )
    made = import_files(items, heads)
    assert [(order.number, order.stage, len(order.lines)) for order in made.orders] == [
        ("e48", Stage.SHIPPED, 2),
        ("53c", Stage.CONFIRMED, 1),
    ]
    assert made.refused == [(4, "no lines of order 47a in any of the files")]
    assert "items.csv: no column for the quantity, so each row is 1 piece." in made.report.notices


@pytest.mark.parametrize(
    "header",
    [
        "order_ref,sku,quantity,product name,customer name,order date,country",
        "Order ID,Product ID,Qty,Description,Customer,Created at,Ship Country",
        " Order Number ;StockCode;Quantity Ordered;Item Name;Buyer;Purchase Date;Country Code",
        "InvoiceNo\tSKU\tQTY\tTitle\tClient Name\tInvoiceDate\tCOUNTRY",
        "sales_order|item_code|units|product|Recipient Name|date|shipping country",
    ],
)
def test_any_table_with_usual_headings_is_read(tmp_path: Path, header: str) -> None:
    """Whatever its headings and its delimiter are, nobody has to write a mapping."""
    mark = next(mark for mark in "|\t;," if mark in header)
    row = mark.join(["00017", "007", "3.0", "Mug", "Ada", "12-Jan-2024", "Peru"])
    (order,) = import_table(tmp_path, f"{header}\n{row}\n").orders
    assert (order.external_ref, order.customer, order.ship_to.country) == ("00017", "Ada", "Peru")
    assert (order.lines[0].sku, order.lines[0].name, order.lines[0].quantity_ordered) == ("007", "Mug", 3)
    assert order.placed_ms == 1_705_017_600_000


def test_a_table_without_quantity_says_so(tmp_path: Path) -> None:
    """Each row is one piece then, and the preview says it."""
    made = import_table(tmp_path, "order id,sku\n1,A\n1,B\n")
    assert [line.quantity_ordered for line in made.orders[0].lines] == [1, 1]
    assert "table.csv: no column for the quantity, so each row is 1 piece." in made.report.notices


def test_two_shops_may_use_the_same_numbers(tmp_path: Path) -> None:
    """Whose orders these are can be said; it is part of what makes an order unique."""
    made = import_table(tmp_path, "order id,sku,qty\n1,A,1\n", source="north")
    assert made.orders[0].source == "north"
    assert import_table(tmp_path, "order id,sku,qty\n1,A,1\n").orders[0].source == "file"


@pytest.mark.parametrize(
    "item",
    [
        {"orderId": 7, "customer": {"name": "Ada"}, "items": [{"SKU": "A", "qty": 2}]},
        {"order_ref": "7", "customer_name": "Ada", "lines": [{"product_code": "A", "Quantity": "2"}]},
        {"id": "7", "shipping_address": {"name": "Ada"}, "line_items": [{"sku": "A", "quantity": 2.0}]},
        {"order_id": "7", "customer": "Ada", "sku": "A", "quantity": 2},
    ],
)
def test_any_list_of_orders_is_read(tmp_path: Path, item: dict[str, object]) -> None:
    """JSON by its usual names, with the lines inside or beside; names within objects too."""
    (order,) = import_table(tmp_path, json.dumps([item]), "orders.json").orders
    assert (order.external_ref, order.customer) == ("7", "Ada")
    assert [(line.sku, line.quantity_ordered) for line in order.lines] == [("A", 2)]


def test_a_wrapped_list_is_read_order_by_order(tmp_path: Path) -> None:
    """A list inside an object needs no more room than a bare one, and what follows it does not matter."""
    orders = [{"id": str(number), "lines": [{"sku": "A", "qty": 1}]} for number in range(50)]
    text = json.dumps({"orders": orders, "next": {"page": 2}}, indent=1)
    assert len(import_table(tmp_path, text, "orders.json").orders) == 50
    made = import_table(tmp_path, text[:-40], "orders.json", accept_truncated=True)
    assert len(made.orders) >= 49


ODOO = (
    "id,name,partner_id/id,date_order,state,carrier_id/name,commitment_date,write_date,"
    "order_line/product_id/id,order_line/name,order_line/product_uom_qty\n"
)


def odoo(state: str = "sale", ref: str = "so_1") -> str:
    """Return the first row of an order of Odoo."""
    return (
        f"{ref},S00012,partner_7,2024-03-01 10:00:00,{state},Post,2024-03-05,2024-03-02 08:00:00,"
        "prod_1,[A] Mug,2.0\n"
    )


def test_odoo_orders_continue_on_rows_without_a_number(tmp_path: Path) -> None:
    """The order stands on its first row only; the rows below it are its other lines."""
    made = import_table(tmp_path, ODOO + odoo() + ",,,,,,,,prod_2,Jug,1.0\n" + odoo(ref="so_2"))
    first, second = made.orders
    assert (first.external_ref, first.number, first.customer, first.carrier) == (
        *("so_1", "S00012", "partner_7", "Post"),
    )
    assert [(line.sku, line.quantity_ordered) for line in first.lines] == [("prod_1", 2), ("prod_2", 1)]
    assert first.cut_off_ms == 1_709_683_140_000, "the end of March 5, UTC"
    assert made.arrivals[0].said_ms == 1_709_366_400_000
    assert len(second.lines) == 1


def test_a_row_below_a_refused_one_continues_nothing(tmp_path: Path) -> None:
    """Lines must not slip into the order above theirs because their own first row is refused."""
    broken = odoo(ref="so_2").replace("[A] Mug", "[A] Mug, red, tall")
    made = import_table(tmp_path, ODOO + odoo() + broken + ",,,,,,,,prod_2,Jug,1.0\n")
    assert [len(order.lines) for order in made.orders] == [1]
    assert [line for line, _ in made.refused] == [3, 4]
    assert made.refused[1][1] == "no order number, and the order above it is not known"


@pytest.mark.parametrize(
    ("state", "stage", "is_cancelled"),
    [
        ("sale", Stage.CONFIRMED, False),
        ("done", Stage.SHIPPED, False),
        ("cancel", Stage.CONFIRMED, True),
        ("Sales Order", Stage.CONFIRMED, False),
    ],
)
def test_states_of_odoo(tmp_path: Path, state: str, stage: Stage, is_cancelled: bool) -> None:
    """By their technical names and those on the screen."""
    (order,) = import_table(tmp_path, ODOO + odoo(state)).orders
    assert (order.stage, order.cancelled_ms is not None) == (stage, is_cancelled)


@pytest.mark.parametrize("state", ["draft", "sent", "Quotation"])
def test_a_quotation_is_no_order_yet(tmp_path: Path, state: str) -> None:
    """All of its rows are refused, each with that reason."""
    made = import_table(tmp_path, ODOO + odoo(state) + ",,,,,,,,prod_2,Jug,1.0\n")
    assert made.orders == []
    assert made.refused == [(2, f"state {state}: no order yet"), (3, f"state {state}: no order yet")]


def test_odoo_by_the_names_on_the_screen(tmp_path: Path) -> None:
    """An export with headings for people means the same."""
    text = "External ID,Order Reference,Customer,Order Date,Order Lines/Product,Order Lines/Quantity\n"
    (order,) = import_table(tmp_path, text + "x.so_1,S1,Ada,2024-03-01 10:00:00,Mug,2.00\n").orders
    assert (order.external_ref, order.number, order.customer, order.lines[0].sku) == (
        "x.so_1",
        "S1",
        "Ada",
        "Mug",
    )


def test_lines_of_odoo(tmp_path: Path) -> None:
    """An export of the lines, with the order's values beside them or only on its first row."""
    text = (
        "id,date_order,partner_id/id,product_id/id,name,product_uom_qty,carrier,commitment_date\n"
        "so_1,2024-03-01 10:00:00,p7,prod_1,Mug,2,Post,\n,,,prod_2,Jug,1,,\n"
    )
    (order,) = import_table(tmp_path, text).orders
    assert [(line.sku, line.name) for line in order.lines] == [("prod_1", "Mug"), ("prod_2", "Jug")]
    assert (order.customer, order.carrier) == ("p7", "Post")


def test_the_sales_export_with_american_dates(tmp_path: Path) -> None:
    """The same columns with other headings and month first: the values decide, not the mapping."""
    text = (
        "Row ID,Order ID,Order Date,Ship Date,Ship Mode,Customer ID,Customer Name,Segment,Country,City,State,"
        "Postal Code,Region,Product ID,Product Name,Quantity\n"
        "1,CA-1,11/8/2016,11/11/2016,Second Class,CG,Claire,Consumer,United States,Henderson,Kentucky,42420,"
        "South,FUR-1,Bookcase,2\n"
        "2,CA-2,6/12/2016,6/16/2016,Second Class,DV,Darrin,Corporate,United States,Los Angeles,California,"
        "90036,West,OFF-1,Labels,2\n"
    )
    made = import_table(tmp_path, text, date_style="m/d/y")
    assert made.orders[0].placed_ms == 1_478_563_200_000, "November 8"
    assert (made.orders[0].ship_to.region, made.orders[0].ship_to.country) == ("Kentucky", "United States")


def test_tags_may_hold_the_cut_off(tmp_path: Path) -> None:
    """Only when it is asked for; the order must leave by the end of that day, in the site's time."""
    text = (
        "Name,Financial Status,Fulfillment Status,Created at,Lineitem quantity,Lineitem name,Tags\n"
        '#1,paid,unfulfilled,2024-07-01 10:00:00 -0400,1,Mug,"gift, ship by 2024-07-05"\n'
    )
    assert import_table(tmp_path, text).orders[0].cut_off_ms is None
    (order,) = import_table(tmp_path, text, cut_off_tags=True).orders
    assert order.cut_off_ms == 1_720_220_340_000
    assert order.tags == ("gift", "ship by 2024-07-05")


def test_orders_inside_other_objects_are_found(tmp_path: Path) -> None:
    """A page of orders with its count before them, and objects with one order each."""
    order = {"id": "7", "lines": [{"sku": "A", "qty": 1}]}
    for text in (json.dumps({"count": 1, "orders": [order]}), json.dumps({"order": order})):
        assert len(import_table(tmp_path, text, "orders.json").orders) == 1


def test_a_field_may_have_several_columns(tmp_path: Path) -> None:
    """Of an order and of a line: the first that has a value counts in each row."""
    mapping = tmp_path / "own.toml"
    mapping.write_text(
        'name = "own"\ntitle = "Own"\nsource = "own"\nformat = "csv"\ndetect = []\n'
        '[order]\nexternal_ref = ["no", "old no"]\nplaced = ["at", "entered"]\n'
        '[line]\nquantity = ["n", "pieces"]\nsku = "sku"\n',
        encoding="utf-8",
    )
    text = "no,old no,at,entered,n,pieces,sku\n,8,,2024-01-31,,4,A\n7,9,2024-02-29,2024-01-31,3,,B\n"
    made = import_table(tmp_path, text, mapping=str(mapping))
    assert [(order.external_ref, order.lines[0].quantity_ordered) for order in made.orders] == [
        ("8", 4),
        ("7", 3),
    ]
    assert [order.placed_ms for order in made.orders] == [1_706_659_200_000, 1_709_164_800_000]


def test_a_tag_without_a_date_is_no_cut_off(tmp_path: Path) -> None:
    """Tags are free text: most of them say nothing about time."""
    text = 'order id,sku,qty,tags\n1,A,1,"gift, 2nd floor, ship by soon"\n'
    assert import_table(tmp_path, text, cut_off_tags=True).orders[0].cut_off_ms is None


def test_the_first_row_of_an_order_keeps_its_customer(tmp_path: Path) -> None:
    """When the only row with the customer has a line that is refused, the order still knows who it is for."""
    text = (
        "Name,Financial Status,Fulfillment Status,Created at,Lineitem quantity,Lineitem name,Shipping Name\n"
        "#1,pending,unfulfilled,2024-07-01 10:00:00 -0400,0,Voucher,Ada\n#1,,,,2,Mug,\n"
    )
    made = import_table(tmp_path, text)
    (order,) = made.orders
    assert (order.customer, len(order.lines)) == ("Ada", 1)
    assert order.hold is not None
    assert order.hold.reason == HoldReason.AWAITING_PAYMENT
    assert made.refused == [(2, "quantity 0 is not pickable")]
