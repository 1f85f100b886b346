-- Views with the former system's names, for people and their reports: moments as timestamptz, yes and no as boolean, decimals as
-- numeric. They show what their reader may see (security_invoker), hence nothing without a tenant.

-- The status is computed (B2.1), in the order in which the first that fits counts.
CREATE VIEW devicebulkchange WITH (security_invoker = true) AS
SELECT b.tenant_id, b.id, b.change_request_type_id, b.portal_type, b.service_provider_id,
    CASE WHEN b.receiving_until IS NOT NULL THEN 'RECEIVING'
        WHEN b.open_count > 0 THEN CASE WHEN b.begun_at IS NULL THEN 'NEW' ELSE 'PROCESSING' END
        WHEN b.processed_count = b.total_count THEN 'PROCESSED'
        WHEN b.processed_count > 0 THEN 'PARTIAL'
        WHEN b.canceled_count = b.total_count THEN 'CANCELED'
        ELSE 'ERROR' END AS status,
    b.order_json::jsonb AS change_request, b.rev_customer_id, b.site_id, b.customer_rate_plan_id, b.customer_rate_pool_id,
        b.name, b.reason,
    b.total_count, b.open_count, b.processed_count, b.error_count, b.canceled_count, b.rejected_count, b.duplicate_count,
    b.scheduled_failed_count, b.attempt, b.created_by, lineshift_moment(b.created_at) AS created_date, b.processed_by,
    lineshift_moment(b.processed_at) AS processed_date
FROM device_bulk_change b;
COMMENT ON VIEW devicebulkchange IS 'DeviceBulkChange: orders over many lines, with the status computed from their counts';

CREATE VIEW m2m_devicechange WITH (security_invoker = true) AS
SELECT dc.tenant_id, dc.id, dc.bulk_change_id, dc.request_position, dc.device_id, dc.iccid, dc.number, dc.status, dc.error_kind,
    dc.error_code, dc.status_details, dc.status = 'ERROR' AS has_errors, dc.is_processed = 1 AS is_processed,
    lineshift_moment(dc.processed_at) AS processed_date, dc.attempt, lineshift_moment(dc.next_check_at) AS next_check_date
FROM device_change dc
JOIN device_bulk_change b ON b.tenant_id = dc.tenant_id AND b.id = dc.bulk_change_id
WHERE b.portal_type = 0;
COMMENT ON VIEW m2m_devicechange IS 'M2M_DeviceChange: the lines of M2M orders';

CREATE VIEW m2m_devicebulkchangelog WITH (security_invoker = true) AS
SELECT l.tenant_id, l.bulk_change_id, NULLIF(l.device_change_id, 0) AS m2m_device_change_id, l.attempt, l.entry,
    l.log_entry_description, l.process_by, lineshift_moment(l.processed_at) AS process_date, l.request_text, l.response_text,
    l.error_text, l.has_errors = 1 AS has_errors, l.response_status
FROM device_bulk_change_log l
WHERE l.portal_type = 0;
COMMENT ON VIEW m2m_devicebulkchangelog IS 'M2MDeviceBulkChangeLog: what each step of M2M orders asked, got and concluded';

CREATE VIEW mobility_devicechange WITH (security_invoker = true) AS
SELECT dc.tenant_id, dc.id, dc.bulk_change_id, dc.request_position, dc.device_id, dc.iccid, dc.number, dc.status, dc.error_kind,
    dc.error_code, dc.status_details, dc.status = 'ERROR' AS has_errors, dc.is_processed = 1 AS is_processed,
    lineshift_moment(dc.processed_at) AS processed_date, dc.attempt, lineshift_moment(dc.next_check_at) AS next_check_date
FROM device_change dc
JOIN device_bulk_change b ON b.tenant_id = dc.tenant_id AND b.id = dc.bulk_change_id
WHERE b.portal_type = 2;
COMMENT ON VIEW mobility_devicechange IS 'Mobility_DeviceChange: the lines of Mobility orders';

CREATE VIEW mobility_devicebulkchangelog WITH (security_invoker = true) AS
SELECT l.tenant_id, l.bulk_change_id, NULLIF(l.device_change_id, 0) AS mobility_device_change_id, l.attempt, l.entry,
    l.log_entry_description, l.process_by, lineshift_moment(l.processed_at) AS process_date, l.request_text, l.response_text,
    l.error_text, l.has_errors = 1 AS has_errors, l.response_status
FROM device_bulk_change_log l
WHERE l.portal_type = 2;
COMMENT ON VIEW mobility_devicebulkchangelog IS
    'MobilityDeviceBulkChangeLog: what each step of Mobility orders asked, got and concluded';

CREATE VIEW lnp_devicechange WITH (security_invoker = true) AS
SELECT dc.tenant_id, dc.id, dc.bulk_change_id, dc.request_position, dc.device_id, dc.iccid, dc.number, dc.status, dc.error_kind,
    dc.error_code, dc.status_details, dc.status = 'ERROR' AS has_errors, dc.is_processed = 1 AS is_processed,
    lineshift_moment(dc.processed_at) AS processed_date, dc.attempt, lineshift_moment(dc.next_check_at) AS next_check_date
FROM device_change dc
JOIN device_bulk_change b ON b.tenant_id = dc.tenant_id AND b.id = dc.bulk_change_id
WHERE b.portal_type = 1;
COMMENT ON VIEW lnp_devicechange IS 'LNP_DeviceChange: the lines of LNP orders';

CREATE VIEW lnp_devicebulkchangelog WITH (security_invoker = true) AS
SELECT l.tenant_id, l.bulk_change_id, NULLIF(l.device_change_id, 0) AS lnp_device_change_id, l.attempt, l.entry,
    l.log_entry_description, l.process_by, lineshift_moment(l.processed_at) AS process_date, l.request_text, l.response_text,
    l.error_text, l.has_errors = 1 AS has_errors, l.response_status
FROM device_bulk_change_log l
WHERE l.portal_type = 1;
COMMENT ON VIEW lnp_devicebulkchangelog IS 'LNPDeviceBulkChangeLog: what each step of LNP orders asked, got and concluded';

CREATE VIEW device_customerrateplanorratepool_queue WITH (security_invoker = true) AS
SELECT q.tenant_id, q.device_change_id AS id, q.bulk_change_id, q.device_id, q.customer_rate_plan_id, q.customer_rate_pool_id,
    q.customer_data_allocation_mb::numeric AS customer_data_allocation_mb, lineshift_moment(q.effective_date) AS effective_date,
    q.portal_type, q.created_by, lineshift_moment(q.created_at) AS created_date, q.modified_by,
    lineshift_moment(q.modified_at) AS modified_date, q.is_active = 1 AS is_active, q.state, q.error_code, q.status_details
FROM customer_rate_plan_device_queue q;
COMMENT ON VIEW device_customerrateplanorratepool_queue IS
    'Device_CustomerRatePlanOrRatePool_Queue: plan changes that wait for their date';

CREATE VIEW customerrateplandevicequeue WITH (security_invoker = true) AS
SELECT q.tenant_id, q.id, q.bulk_change_id, q.device_id, q.customer_rate_plan_id, q.customer_rate_pool_id,
    q.customer_data_allocation_mb, q.effective_date, q.portal_type, q.created_by, q.created_date, q.modified_by, q.modified_date,
    q.is_active, q.state, q.error_code, q.status_details
FROM device_customerrateplanorratepool_queue q;
COMMENT ON VIEW customerrateplandevicequeue IS 'CustomerRatePlanDeviceQueue: the same by its other name';

CREATE VIEW m2m_device WITH (security_invoker = true) AS
SELECT d.tenant_id, d.id, d.service_provider_id, d.iccid, d.subscriber_number AS msisdn, d.imei, d.status,
    d.is_archived = 1 AS is_archived, d.is_deleted = 1 AS is_deleted, lineshift_moment(d.activated_at) AS activated_date,
    d.carrier_rate_plan, d.communication_plan, d.ip_address, d.carrier_device_id, dt.rev_customer_id, dt.site_id,
        dt.account_number,
    dt.account_number_integration_authentication_id, dt.customer_rate_plan_id, dt.customer_rate_pool_id,
    dt.customer_data_allocation_mb::numeric AS customer_data_allocation_mb, dt.rev_service_id,
    lineshift_moment(dt.effective_date) AS effective_date, dt.is_active = 1 AS is_active, dt.version, dt.modified_by,
    lineshift_moment(dt.modified_at) AS modified_date
FROM device d
JOIN device_tenant dt ON dt.tenant_id = d.tenant_id AND dt.device_id = d.id;
COMMENT ON VIEW m2m_device IS 'M2M_Device with Device_Tenant: lines and what was decided about them';

CREATE VIEW revcustomer WITH (security_invoker = true) AS
SELECT c.tenant_id, c.id, c.name, c.integration_authentication_id, c.is_active = 1 AS is_active,
    lineshift_moment(c.created_at) AS created_date, lineshift_moment(c.modified_at) AS modified_date
FROM rev_customer c;
COMMENT ON VIEW revcustomer IS 'RevCustomer: customers that exist in Rev.io';

CREATE VIEW revservice WITH (security_invoker = true) AS
SELECT s.tenant_id, s.id, s.rev_customer_id, s.number, s.iccid, s.rev_service_id, s.rev_service_type_id,
    (lineshift_moment(s.activated_date) AT TIME ZONE 'UTC')::date AS activated_date, s.rev_provider_id,
    (lineshift_moment(s.disconnected_date) AT TIME ZONE 'UTC')::date AS disconnected_date, s.device_id,
        s.has_package = 1 AS has_package
FROM rev_service s;
COMMENT ON VIEW revservice IS 'RevService: billing services in Rev.io';

CREATE VIEW revserviceproduct WITH (security_invoker = true) AS
SELECT p.tenant_id, p.id, p.rev_service_id, p.rev_customer_id, p.rev_service_product_id, p.rev_product_id, p.package_id,
    p.rate::numeric AS rate, p.quantity::numeric AS quantity, p.status, p.description
FROM rev_service_product p;
COMMENT ON VIEW revserviceproduct IS 'RevServiceProduct: what is charged on a billing service';

CREATE VIEW deviceactionhistory WITH (security_invoker = true) AS
SELECT h.tenant_id, h.device_id, lineshift_moment(h.at) AS date_of_change, NULLIF(h.bulk_change_id, 0) AS bulk_change_id,
    h.attempt,
    h.entry, h.action, h.old_value::jsonb AS old_value, h.new_value::jsonb AS new_value, h.changed_by
FROM device_action_history h;
COMMENT ON VIEW deviceactionhistory IS 'DeviceActionHistory: what was changed of a line, by whom';

CREATE VIEW crossproviderdevicehistory WITH (security_invoker = true) AS
SELECT h.tenant_id, h.device_id, h.bulk_change_id, h.service_provider_id, lineshift_moment(h.valid_from) AS valid_from,
    lineshift_moment(h.valid_to) AS valid_to, h.rev_customer_id, h.site_id, h.account_number, h.customer_rate_plan_id,
    h.customer_rate_pool_id, h.customer_data_allocation_mb::numeric AS customer_data_allocation_mb
FROM cross_provider_device_history h;
COMMENT ON VIEW crossproviderdevicehistory IS 'The assignments of a line over time';

GRANT SELECT ON devicebulkchange, m2m_devicechange, mobility_devicechange, lnp_devicechange, m2m_devicebulkchangelog,
    mobility_devicebulkchangelog, lnp_devicebulkchangelog, device_customerrateplanorratepool_queue, customerrateplandevicequeue,
    m2m_device, revcustomer, revservice, revserviceproduct, deviceactionhistory, crossproviderdevicehistory TO lineshift_app;
