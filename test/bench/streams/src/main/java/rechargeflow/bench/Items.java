package rechargeflow.bench;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;

/** Writes the products of charges and orders. */
final class Items {
  private static final String SUBSCRIPTION = "subscription";
  private static final String ONE_TIME = "onetime";

  private Items() {}

  static void write(JsonGenerator out, List<Webhook.Line> lines) throws IOException {
    out.writeArrayFieldStart("items");
    if (lines != null) {
      for (Webhook.Line line : lines) {
        item(out, line);
      }
    }
    out.writeEndArray();
  }

  private static void item(JsonGenerator out, Webhook.Line line) throws IOException {
    boolean oneTime = ONE_TIME.equalsIgnoreCase(line.purchaseItemType);
    String price = Text.first(line.unitPrice, line.price);
    out.writeStartObject();
    out.writeStringField("kind", oneTime ? ONE_TIME : SUBSCRIPTION);
    EventBodies.text(out, "subscription_id", oneTime ? null : Text.first(line.subscriptionId, line.purchaseItemId));
    EventBodies.text(out, "product_id", Webhook.External.id(line.externalProductId));
    EventBodies.text(out, "variant_id", Webhook.External.id(line.externalVariantId));
    EventBodies.text(out, "sku", line.sku);
    EventBodies.text(out, "title", line.title);
    EventBodies.text(out, "variant_title", line.variantTitle);
    EventBodies.text(out, "price", price);
    EventBodies.number(out, "quantity", line.quantity);
    EventBodies.text(out, "total_price", line.totalPrice);
    EventBodies.text(out, "discount", Amounts.discount(line.originalPrice, price, line.quantity));
    EventBodies.text(out, "tax", line.taxDue);
    out.writeEndObject();
  }
}
