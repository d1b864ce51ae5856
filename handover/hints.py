"""What each choice means, of the kind of transaction and of the plan; the form shows it under the choice."""

from django.utils.translation import gettext_lazy

from handover.models import Handover, TransferPlan

KIND_HINTS = {
    Handover.Kind.SHARE.value: gettext_lazy("Shares are sold; the company that holds the data stays the same."),
    Handover.Kind.ASSET.value: gettext_lazy("The business or a part of it is sold to another company."),
    Handover.Kind.MERGER.value: gettext_lazy("Two companies become one."),
    Handover.Kind.DIVISION.value: gettext_lazy("A company is split, and a part of it goes on elsewhere."),
    Handover.Kind.BANKRUPTCY.value: gettext_lazy("An administrator sells what an insolvent company has."),
}

PLAN_HINTS = {
    TransferPlan.Method.INSIDE.value: gettext_lazy("The buyer's book is filled here. No file leaves the platform."),
    TransferPlan.Method.PACKAGE.value: gettext_lazy(
        "The buyer's book is filled here, and its lead also downloads the data as files that only the buyer can open."
    ),
    TransferPlan.Method.SFTP.value: gettext_lazy(
        "The buyer's book is filled here, and the platform puts the files, which only the buyer can open, on a server "
        "that a lead of the buyer names. What arrived is read back."
    ),
    TransferPlan.Method.S3.value: gettext_lazy(
        "The buyer's book is filled here, and the platform puts the files, which only the buyer can open, into a "
        "bucket that a lead of the buyer names. What arrived is read back."
    ),
    TransferPlan.FileFormat.CSV.value: gettext_lazy("Text that every program reads, a file for each category."),
    TransferPlan.FileFormat.XLSX.value: gettext_lazy("One workbook: texts stay texts, dates and numbers are real."),
    TransferPlan.FileFormat.JSONL.value: gettext_lazy("One file, a customer a line, for import by a program."),
    TransferPlan.FileFormat.PARQUET.value: gettext_lazy(
        "For large books and data tools, with types, a file for each category."
    ),
    TransferPlan.Telling.PLATFORM.value: gettext_lazy(
        "Each customer gets a notice with a link. Who objects, or does not agree where consent is needed, stays."
    ),
    TransferPlan.Telling.OUTSIDE.value: gettext_lazy(
        "All three sides approve how, on which day and with which evidence."
    ),
    TransferPlan.Duplicates.LINK.value: gettext_lazy("Each page leads to the other. Nothing is changed."),
    TransferPlan.Duplicates.MERGE.value: gettext_lazy(
        "Only who is one person beyond doubt, with the same name: purchases are moved and empty fields filled. "
        "Nothing is overwritten; all others are linked."
    ),
    TransferPlan.Disposition.DESTROY.value: gettext_lazy(
        "After acceptance, exactly those who crossed; until then its book stays frozen."
    ),
    TransferPlan.Disposition.RESTRICT.value: gettext_lazy(
        "After acceptance exactly those who crossed move to a restricted book: kept and protected, used for nothing. "
        "The seller's book opens again with who stayed."
    ),
    TransferPlan.Disposition.KEEP.value: gettext_lazy(
        "Both sides hold and use the data afterwards. The reviewer's checklist asks why."
    ),
}
