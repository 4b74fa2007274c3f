package rechargeflow.bench;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.util.List;

/**
 * The fields of a webhook that decide or are published, in API version 2021-11. JSON names are those of the fields in
 * snake case. Numbers are read as their digits where a text is expected.
 */
@JsonIgnoreProperties(ignoreUnknown = true)
final class Webhook {
  public Subscription subscription;
  public Charge charge;
  public Order order;
  public Customer customer;

  /** An id of the shop platform. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  static final class External {
    public String ecommerce;

    static String id(External of) {
      return of == null ? null : Text.orNull(of.ecommerce);
    }
  }

  /** The customer or the charge inside another object. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  static final class Reference {
    public String id;
    public String email;
    public String hash;
  }

  @JsonIgnoreProperties(ignoreUnknown = true)
  static final class Subscription {
    public String id;
    public String customerId;
    public Reference customer;
    public String addressId;
    public String email;
    public String status;
    public External externalProductId;
    public External externalVariantId;
    public String sku;
    public String productTitle;
    public String variantTitle;
    public String price;
    public String presentmentCurrency;
    public int quantity;
    public String orderIntervalUnit;
    public int orderIntervalFrequency;
    public int chargeIntervalFrequency;
    public String nextChargeScheduledAt;
    public boolean isPrepaid;
    public String createdAt;
    public String updatedAt;
    public String cancelledAt;
    public String cancellationReason;
    public String cancellationReasonComments;
    public boolean maxRetriesReached;
  }

  @JsonIgnoreProperties(ignoreUnknown = true)
  static final class Charge {
    public String id;
    public String addressId;
    public String customerId;
    public Reference customer;
    public String email;
    public String customerHash;
    public String status;
    public String type;
    public String currency;
    public String totalPrice;
    public String subtotalPrice;
    public String totalDiscounts;
    public String totalTax;
    public String totalRefunds;
    public List<Price> shippingLines;
    public List<Discount> discounts;
    public String paymentProcessor;
    public String scheduledAt;
    public String processedAt;
    public String retryDate;
    public String createdAt;
    public String updatedAt;
    public int chargeAttempts;
    public String errorType;
    public External externalOrderId;
    public List<Line> lineItems;
    public Address billingAddress;
    public Address shippingAddress;
  }

  @JsonIgnoreProperties(ignoreUnknown = true)
  static final class Order {
    public String id;
    public Reference charge;
    public String addressId;
    public String customerId;
    public Reference customer;
    public String email;
    public String hash;
    public String type;
    public External externalOrderId;
    public External externalOrderNumber;
    public boolean isPrepaid;
    public String currency;
    public String totalPrice;
    public String scheduledAt;
    public String processedAt;
    public String createdAt;
    public String updatedAt;
    public List<Line> lineItems;
    public Address billingAddress;
    public Address shippingAddress;

    String chargeId() {
      return charge == null ? null : Text.orNull(charge.id);
    }
  }

  @JsonIgnoreProperties(ignoreUnknown = true)
  static final class Line {
    public String purchaseItemId;
    public String purchaseItemType;
    public String subscriptionId;
    public External externalProductId;
    public External externalVariantId;
    public String sku;
    public String title;
    public String variantTitle;
    public String unitPrice;
    public String price;
    public String originalPrice;
    public String totalPrice;
    public String taxDue;
    public int quantity;
  }

  /** The price of a shipping line. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  static final class Price {
    public String price;
  }

  @JsonIgnoreProperties(ignoreUnknown = true)
  static final class Discount {
    public String code;
    public String value;
    public String valueType;
  }

  @JsonIgnoreProperties(ignoreUnknown = true)
  static final class Address {
    public String country;
    public String countryCode;
    public String province;
    public String zip;

    static String country(Address of) {
      return of == null ? null : Text.first(of.countryCode, of.country);
    }
  }

  @JsonIgnoreProperties(ignoreUnknown = true)
  static final class Customer {
    public String id;
    public String email;
    public String firstName;
    public String lastName;
    public String phone;
    public String hash;
    public External externalCustomerId;
    public Integer subscriptionsActiveCount;
    public int subscriptionsTotalCount;
    public String createdAt;
    public String updatedAt;
  }

  /** Returns the id of the customer, null if the body names none. */
  String customerId() {
    if (subscription != null) {
      return owner(subscription.customerId, subscription.customer);
    }
    if (charge != null) {
      return owner(charge.customerId, charge.customer);
    }
    if (order != null) {
      return owner(order.customerId, order.customer);
    }
    return customer == null ? null : Text.orNull(customer.id);
  }

  private String owner(String id, Reference nested) {
    String own = Text.first(id, nested == null ? null : nested.id);
    return own != null || customer == null ? own : Text.orNull(customer.id);
  }
}
