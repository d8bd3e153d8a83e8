"""The methods of AttributionService that are about the credit of one conversion."""

from __future__ import annotations

from synaptyx.attribution.v1 import attribution_service_pb2 as pb
from synaptyx.attribution.v1 import conversion_explanation_pb2, conversion_pb2

from services.attribution.api.conversion_messages import conversion_etag
from services.attribution.api.conversions import read_conversion
from services.attribution.api.explanations import to_explanation
from services.attribution.api.requests import Faults
from services.attribution.attaching import Attacher, Wish
from services.attribution.domain.fields import request_id_fault, text_fault
from services.attribution.explaining import Explainer
from services.chassis.database import Database
from services.chassis.errors import ResourceNotFound
from services.chassis.identity import current_caller, require_workspace
from services.chassis.resource_names import CAMPAIGN, CLICK, CONVERSION, uuid_id

_LONGEST_REASON = 500


class ConversionCredits:
    """Answers AttachConversion and ExplainConversion."""

    def __init__(self, database: Database, *, attacher: Attacher, explainer: Explainer) -> None:
        self._database = database
        self._attacher = attacher
        self._explainer = explainer

    async def explain(
        self, request: pb.ExplainConversionRequest
    ) -> conversion_explanation_pb2.ConversionExplanation:
        """Explain why a conversion is as it is."""
        ids = CONVERSION.parse(request.name)
        require_workspace(ids["workspace"])
        conversion_id = uuid_id(ids["conversion"], name=request.name)
        explained = await self._explainer.explain(ids["workspace"], conversion_id)
        if explained is None:
            raise ResourceNotFound(request.name)
        return to_explanation(explained)

    async def attach(self, request: pb.AttachConversionRequest) -> conversion_pb2.Conversion:
        """Credit a conversion by hand, and answer with it as it is then."""
        wish = _read_wish(request)
        await self._attacher.attach(wish)
        async with self._database.read() as tx:
            conversion = await read_conversion(tx, wish.workspace_id, wish.conversion_id)
        if conversion is None:
            # Merged into another one since: its credit went there.
            raise ResourceNotFound(request.name)
        return conversion


def _read_wish(request: pb.AttachConversionRequest) -> Wish:
    ids = CONVERSION.parse(request.name)
    workspace = ids["workspace"]
    require_workspace(workspace)
    faults = Faults()
    chosen = request.WhichOneof("credit")
    if chosen is None:
        faults.add("credit", "must be a click, a campaign or the evidence")
    elif chosen != "evidence" and not getattr(request, chosen):
        faults.add(chosen, "must not be empty")
    click = faults.name_in(CLICK, request.click, workspace=workspace, field="click")
    campaign = faults.name_in(CAMPAIGN, request.campaign, workspace=workspace, field="campaign")
    faults.check("reason", _reason_fault(request.reason))
    faults.check("request_id", request_id_fault(request.request_id))
    faults.raise_any()
    return Wish(
        workspace_id=workspace,
        conversion_id=uuid_id(ids["conversion"], name=request.name),
        click_id=click["click"] if click else None,
        campaign_id=campaign["campaign"] if campaign else None,
        actor=current_caller().name,
        reason=request.reason,
        request_id=request.request_id or None,
        is_current=lambda conversion: request.etag in ("", conversion_etag(conversion)),
    )


def _reason_fault(reason: str) -> str | None:
    if not reason.strip():
        return f"must be 1 to {_LONGEST_REASON} characters, not all of them blank"
    return text_fault(reason, longest=_LONGEST_REASON)
